"""A running server with a small bank, and a real browser."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import axe_playwright_python
import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from cxportal import catalogues
from metrics import recompute
from tests import factories

# The browser's driver keeps a loop in this thread; the tests themselves use the ORM before it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session", autouse=True)
def _words() -> None:
    """The pages speak Chinese only from compiled catalogues."""
    catalogues.compile_all(ROOT / "locale")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"No browser at {CHROMIUM}: install Debian's chromium or set CHROMIUM.")
    with sync_playwright() as tool:
        found = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def bank(transactional_db) -> SimpleNamespace:
    """Staff, and twelve clients of Lan with contacts, cases and answers of every group."""
    staff = factories.make_staff()
    now = timezone.now()
    version = factories.make_version()
    campaign = factories.make_campaign(version=version, launched_at=now - timedelta(days=20))
    clients = []
    for number in range(12):
        client = factories.make_client(
            manager=staff.lan, team=staff.east, uscc=f"91310000MA1K{number:06}"
        )
        contact = factories.make_contact(client, position="财务总监")
        factories.make_contact(client, language="en", job_role="cfo")
        case = factories.make_case(client, amount=1_850_000_000)
        invitation = factories.make_invitation(
            contact,
            version=version,
            campaign=campaign,
            case=case,
            state="answered",
            sent_at=now - timedelta(days=3 + number),
            answered_at=now - timedelta(days=2 + number),
        )
        factories.make_response(
            invitation,
            {"nps": number % 11, "reason": "审批到哪一步了，每次都要我们主动问。", "csat": 3},
            submitted_at=now - timedelta(days=2 + number),
            response_id=f"R-{number}",
        )
        clients.append(client)
    recompute.refresh_all(at=now)
    return SimpleNamespace(staff=staff, clients=clients, case=case, campaign=campaign)


@pytest.fixture
def open_page(browser: Browser, live_server, settings) -> Iterator:
    """A page of the given width, language and colours; with a name, signed in by the form."""
    contexts: list[BrowserContext] = []

    def visit(user: str = "", *, width: int = 1440, language: str = "zh-hans", **more) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, base_url=live_server.url, **more
        )
        contexts.append(context)
        context.add_cookies(
            [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}]
        )
        page = context.new_page()
        page.faults = []
        page.on("console", lambda line: _note(page, line))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        if user:
            page.goto("/accounts/login/")
            page.fill("#id_username", user)
            page.fill("#id_password", "a long password 1")
            page.click("main button[type=submit]")
            page.wait_for_url("**/overview/")
        return page

    yield visit
    for context in contexts:
        context.close()


def _note(page: Page, line) -> None:
    """A blocked style or script shows as an error in the console."""
    if line.type in {"error", "warning"}:
        page.faults.append(line.text)


def violations(page: Page) -> list[str]:
    """What axe finds, one line a rule and place; the page's own policy forbids inline scripts."""
    page.evaluate(AXE)
    found = page.evaluate(
        "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa',"
        " 'wcag22aa', 'best-practice']})"
    )
    return [
        f"{rule['id']}: {node['target']} {node.get('failureSummary', '')}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def sideways(page: Page) -> int:
    """By how many pixels the page scrolls sideways."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
