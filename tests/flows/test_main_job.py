"""The main job on the running processes: HTTP, SMTP and a worker, and nothing of them simulated.

On the embedded parts, and with DATABASE_URL and BROKER_URL on those servers.
"""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.flows.product import Product, free_port, links, until

pytestmark = pytest.mark.running
ANSWERS = {
    "nps": "9",
    "sat_overall": "5",
    "sat_response": "4",
    "sat_efficiency": "4",
    "sat_attitude": "5",
}
CLIENTS = "code,name_zh,name_en,team,manager\n{}"
CLIENT = "MJ-1,栖川精密制造有限公司,Qichuan Precision,{team},{manager}\n"
# Three, for no more than three people of a client are asked in one wave.
PEOPLE = ("程述安", "林知远", "陆清和")


@pytest.fixture(scope="module")
def product():
    """One installation with its own clients and no demo bank, running."""
    one = Product()
    try:
        one.run("migrate", "-v0")
        one.run("load_reference")
        _import(one, "clients", CLIENTS.format(CLIENT.format(team="", manager="")))
        one.start()
        yield one
    finally:
        one.end()


def _import(product, kind, text) -> dict:
    path = product.state / f"{kind}.csv"
    path.write_text(text, encoding="utf-8")
    return json.loads(product.run("import_file", kind, str(path), "--apply", "--json"))


class Machine:
    """A program with a key."""

    def __init__(self, product) -> None:
        key = product.run("create_api_key", "flows", "--scopes", "read,manage").strip()
        self.browser, self.headers = product.browser(), {"Authorization": f"Bearer {key}"}

    def get(self, path):
        answer = self.browser("GET", f"/api/v1/{path}", **self.headers)
        assert answer.status == 200, answer.text
        return answer.json()

    def post(self, path, body=None):
        headers = self.headers | {"Content-Type": "application/json"}
        answer = self.browser("POST", f"/api/v1/{path}", json.dumps(body or {}), **headers)
        assert answer.status in {200, 201}, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def machine(product):
    return Machine(product)


def _campaign(machine, name) -> int:
    now = datetime.now(UTC)
    made = machine.post(
        "campaigns/",
        {
            "name": name,
            "questionnaire": "relational_nps_csat",
            "audience": {"client_codes": ["MJ-1"]},
            "send_at": now.isoformat(),
            "closes_at": (now + timedelta(days=14)).isoformat(),
            "send_window": False,
        },
    )
    return made["id"]


def _figure(page: str, metric: str) -> dict[str, str]:
    """The attributes of the first figure of this metric."""
    for tag in re.findall(r"<data\b[^>]*>", page):
        found = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if found.get("data-metric") == metric:
            return found
    return {}


def _recommend(visitor) -> tuple[str, str]:
    found = _figure(visitor("GET", "/clients/MJ-1/").text, "recommend_mean")
    return found.get("value", ""), found.get("data-n", "")


def _survey_link(mail) -> str:
    return next(link for link in links(mail) if re.search(r"/s/[\w-]+/$", link))


def test_the_main_job(product, machine):
    manager = product.signed_in("lan")
    assert manager("GET", "/clients/MJ-1/").status == 404
    _import(product, "clients", CLIENTS.format(CLIENT.format(team="BR-ZJ", manager="lan")))
    rows = "".join(
        f"MJ-P{n},MJ-1,{name},user,p{n}@qichuan.example,zh,yes\n" for n, name in enumerate(PEOPLE)
    )
    header = "external_id,client_code,name,buying_role,email,language,survey_consent\n"
    _import(product, "contacts", header + rows)
    assert manager("GET", "/clients/MJ-1/").status == 200
    assert product.signed_in("chen")("GET", "/clients/MJ-1/").status == 404

    campaign = _campaign(machine, "2026 秋季关系调查")
    preflight = machine.get(f"campaigns/{campaign}/preflight/")
    assert (preflight["blockers"], preflight["eligible"]) == ([], len(PEOPLE))
    machine.post(f"campaigns/{campaign}/launch/")
    mails = until(lambda: len(product.mails()) >= len(PEOPLE) and product.mails(), 30)
    assert sorted(mail["To"].addresses[0].addr_spec for mail in mails) == [
        f"p{n}@qichuan.example" for n in range(len(PEOPLE))
    ]
    funnel = until(lambda: _sent(machine, campaign, len(PEOPLE)), 10)
    assert (funnel["planned"], funnel["sent"]) == (len(PEOPLE), len(PEOPLE))

    _reading_records_nothing(product, machine, campaign, mails)
    _answer_counts_once(product, machine, campaign, mails[0], manager)
    _one_click_stops_mail(product, machine, mails[1])
    assert "mail" in product.browser()("GET", "/demo/mail/").text
    product.run("verify_audit")


def _sent(machine, campaign, number):
    funnel = machine.get(f"campaigns/{campaign}/funnel/")
    return funnel if funnel["sent"] == number else None


def _consents(machine) -> dict[str, str]:
    rows = machine.get("contacts/?client=MJ-1&page_size=200")["results"]
    return {row["external_id"]: row["survey_consent"] for row in rows}


def _reading_records_nothing(product, machine, campaign, mails):
    """A scanner that fetches every link of every mail is not a client."""
    scanner = product.browser()
    addresses = {link for mail in mails for link in links(mail)}
    assert len(addresses) > len(mails) * 2
    for address in sorted(addresses):
        # The link that no person sees leads to the survey.
        status = 302 if address.endswith("/view/") else 200
        assert [scanner(method, address).status for method in ("GET", "HEAD")] == [status] * 2
    assert machine.get(f"responses/?campaign={campaign}")["results"] == []
    assert machine.get(f"campaigns/{campaign}/funnel/")["completed"] == 0
    assert set(_consents(machine).values()) == {"yes"}


def _answer_counts_once(product, machine, campaign, mail, manager):
    link, contact = _survey_link(mail), product.browser()
    path = "/" + link.split("/", 3)[3]
    assert _recommend(manager) == ("", "") or _recommend(manager)[1] == "0"
    first = contact.form(path, **ANSWERS)
    assert (first.status, first.headers["Location"]) == (302, f"{path}done/")
    shown = until(lambda: _recommend(manager) == ("9", "1") or None, 5)
    assert shown, _recommend(manager)
    again = product.browser()("POST", path, ANSWERS | {"nps": "0"})
    assert again.status in {200, 302, 403}
    rows = machine.get(f"responses/?campaign={campaign}")["results"]
    assert [row["answers"]["nps"] for row in rows] == [9]
    assert _recommend(manager) == ("9", "1")


def _one_click_stops_mail(product, machine, mail):
    address = re.search(r"<(https?://[^>]+)>", mail["List-Unsubscribe"])[1]
    answer = product.browser()("POST", address, {"List-Unsubscribe": "One-Click"})
    assert answer.status == 200
    assert sorted(_consents(machine).values()) == ["no", *["yes"] * (len(PEOPLE) - 1)]


def test_without_the_broker_answering_works_and_run_due_does_the_rest(product, machine):
    """Runs after the main job, on the same installation, with a broker that is not there."""
    mails = product.mails()
    product.stop()
    product.start(BROKER_URL=f"redis://127.0.0.1:{free_port()}/0")
    health = product.browser()("GET", "/health/ready")
    assert (health.status, health.json()["checks"]["broker"]) == (200, "down")
    path = "/" + _survey_link(mails[2]).split("/", 3)[3]
    answer = product.browser().form(path, **ANSWERS | {"nps": "7"})
    assert (answer.status, answer.headers["Location"]) == (302, f"{path}done/")
    manager = product.signed_in("lan")
    assert _recommend(manager) == ("9", "1")
    product.run("run_due")
    assert _recommend(manager) == ("8", "2")
    product.run("verify_audit")
