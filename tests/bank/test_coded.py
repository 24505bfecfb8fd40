"""The admin says words, in the language of the page, where the database keeps codes."""

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bank import audit, reference
from clients.models import MilestoneType
from surveys.models import SuppressionRule
from tests.factories import NOW, make_case, make_client, make_contact, make_invitation

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client, staff):
    reference.load(at=NOW)
    client.force_login(staff.admin)
    return client


def page(browser, name, language, *args):
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    answer = browser.get(reverse(f"admin:{name}", args=args))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("language", "words"), [("zh-hans", ("登录", "系统")), ("en", ("Signed in", "system"))]
)
def test_audit_trail_names_acts_and_the_system(browser, language, words):
    audit.record("sign_in.done", "sign_in", at=NOW, by=None)
    listed = page(browser, "bank_auditentry_changelist", language)
    assert [word in listed for word in words] == [True, True]
    assert ">sign_in.done<" not in listed


def test_reason_of_an_invitation_is_the_name_of_the_rule(browser):
    SuppressionRule.objects.create(
        code="no_consent",
        position=1,
        name_zh="未同意",
        name_en="No consent",
        scope="all",
        action="skip",
    )
    row = make_invitation(make_contact(make_client()), state="skipped", reason="no_consent")
    listed = page(browser, "surveys_invitation_changelist", "zh-hans")
    shown = page(browser, "surveys_invitation_change", "zh-hans", row.pk)
    assert ("未同意" in listed, "未同意" in shown) == (True, True)
    assert ">no_consent<" not in listed + shown


def test_names_are_loaded_once_for_any_number_of_rows(browser):
    address = reverse("admin:clients_case_changelist")
    make_case(make_client())
    one = _count(browser, address)
    make_case(make_client())
    make_case(make_client())
    assert _count(browser, address) == one


def _count(browser, address):
    with CaptureQueriesContext(connection) as seen:
        browser.get(address)
    return len(seen)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_moments_are_written_as_in_tables(browser, language):
    audit.record("sign_in.done", "sign_in", at=NOW, by=None)
    assert "2026-11-24 10:00" in page(browser, "bank_auditentry_changelist", language)


def test_festival_is_named_in_one_language(browser):
    assert "National Day" not in page(browser, "bank_holiday_changelist", "zh-hans")
    assert "国庆节" not in page(browser, "bank_holiday_changelist", "en")


def test_admin_switches_its_language(browser):
    assert 'value="en"' in page(browser, "index", "zh-hans")
    assert 'value="zh-hans"' in page(browser, "index", "en")


def test_icon_is_found_under_its_old_name(client):
    answer = client.get("/favicon.ico")
    assert (answer.status_code, "favicon" in answer["Location"]) == (302, True)


def test_missing_code_reads_as_missing(browser):
    kind = MilestoneType.objects.create(
        code="settled", position=1, name_zh="结清", name_en="Settled"
    )
    shown = page(browser, "clients_milestonetype_change", "zh-hans", kind.pk)
    assert ('<div class="readonly">None</div>' in shown) is False
