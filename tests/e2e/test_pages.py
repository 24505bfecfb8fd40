"""Every staff page in a real browser: reachable, readable, nothing sideways, nothing blocked."""

import pytest

from tests.e2e.conftest import sideways, violations

WIDTHS = [320, 390, 1024, 1440]


def paths(bank) -> list[str]:
    return [
        "/overview/",
        "/overview/?period=2017-05",
        "/clients/",
        "/clients/?q=nothing&status=active",
        f"/clients/{bank.clients[3].code}/",
        f"/clients/{bank.clients[3].code}/contacts/",
        f"/clients/{bank.clients[3].code}/cases/",
        f"/clients/{bank.clients[3].code}/financials/",
        f"/clients/{bank.clients[3].code}/engagement/",
        f"/clients/{bank.clients[3].code}/history/",
        "/cases/",
        f"/cases/{bank.case.number}/",
        "/responses/",
        "/responses/?score=0-6",
        "/responses/R-3/",
        "/campaigns/",
        f"/campaigns/{bank.campaign.pk}/",
        "/indicators/",
        "/indicators/nps/?group_by=segment",
        "/indicators/recommend_mean/",
        "/indicators/response_rate/",
        "/indicators/nps/made/",
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    ("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light"), (320, "dark")]
)
def test_staff_pages_are_accessible_and_never_scroll_sideways(
    bank, open_page, language, width, scheme
):
    page = open_page("lan", width=width, language=language, color_scheme=scheme)
    for path in paths(bank):
        assert page.goto(path).status == 200, path
        assert sideways(page) <= 0, path
        assert violations(page) == [], path
    assert page.faults == []


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("width", [320, 1440])
def test_sign_in_and_error_pages_are_accessible(bank, open_page, language, width):
    page = open_page(width=width, language=language)
    for path, status in (("/accounts/login/", 200), ("/nowhere/", 404)):
        assert page.goto(path).status == status
        assert sideways(page) <= 0
        assert violations(page) == []


def test_wrong_password_says_so_and_keeps_the_name(bank, open_page):
    page = open_page(language="en")
    page.goto("/accounts/login/")
    page.fill("#id_username", "lan")
    page.fill("#id_password", "wrong")
    page.click("main button[type=submit]")
    assert page.locator("[role=alert]").is_visible()
    assert page.input_value("#id_username") == "lan"
    assert violations(page) == []


def test_first_tab_leads_to_the_content(bank, open_page):
    page = open_page("lan")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_manager_goes_from_overview_to_an_answer_and_back_out(bank, open_page):
    page = open_page("lan", language="en")
    page.click("nav.nav a:has-text('Clients')")
    page.fill("#f-q", bank.clients[3].code)
    page.click("form.filters button")
    page.click(f"a:has-text('{bank.clients[3].name_en}')")
    assert page.locator("data[data-metric=recommend_mean]").first.get_attribute("data-n") == "1"
    page.click(".quote time")
    assert "/responses/R-3/" in page.url
    page.click(".me button")
    page.wait_for_url("**/accounts/login/")
    assert page.goto("/clients/").url.endswith("/accounts/login/?next=/clients/")


def test_language_switch_keeps_the_page(bank, open_page):
    page = open_page("lan", language="zh-hans")
    page.goto("/clients/?status=active")
    page.click(".top button:has-text('EN')")
    page.wait_for_url("**/clients/?status=active")
    assert page.get_attribute("html", "lang") == "en"


def test_phone_has_the_bottom_bar_and_the_account_menu(bank, open_page):
    page = open_page("lan", width=390, language="en")
    assert page.locator(".botnav").is_visible()
    assert not page.locator(".side").is_visible()
    page.click("details.menu summary")
    assert page.locator(".menu-box button:has-text('Sign out')").is_visible()
    assert sideways(page) <= 0


def test_everything_works_without_scripts(bank, open_page):
    page = open_page("lan", java_script_enabled=False, language="en")
    page.goto("/responses/")
    page.select_option("#f-score", "0-6")
    page.click("form.filters button")
    assert "score=0-6" in page.url
    assert page.locator(".quote li").count() == 8


def test_print_leaves_out_navigation_and_keeps_the_figures(bank, open_page):
    page = open_page("lan", language="en")
    page.emulate_media(media="print")
    for part in (".side", ".top", ".botnav", ".no-print"):
        assert not page.locator(part).first.is_visible(), part
    assert page.locator("data[data-metric=nps]").first.is_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_overview_fits_every_width(bank, open_page, width):
    page = open_page("mu", width=width)
    assert sideways(page) <= 0
