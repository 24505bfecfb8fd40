"""P3: statements a page costs, with ten rows and with a thousand."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from bank.models import Role, User
from bench import pages, people
from bench.measuring import Goal, Line
from surveys import links, questionnaires
from surveys.models import Answer, Response

GOAL = Goal("P3", 1, at_least=False)
OPENED, SUBMITTED = 2, 8
FEW, MANY = 10, 1_000
LISTS = ("/clients/", "/responses/", "/cases/", "/overview/")


def measure(scale: float) -> Line:
    """The greatest growth of any list, and the absolute counts of the answer page."""
    del scale
    person = User.objects.create_user("p3", password="x" * 12, role=Role.AUDITOR)
    browser = Browser(SERVER_NAME="testserver")
    browser.force_login(person)
    opened, submitted = _answer_page()
    _rows(FEW, "P3A")
    few = {path: statements(lambda path=path: _get(browser, path)) for path in LISTS}
    _rows(MANY - FEW, "P3B")
    many = {path: statements(lambda path=path: _get(browser, path)) for path in LISTS}
    told = f"answer page {opened} (<={OPENED}), submit {submitted} (<={SUBMITTED}); "
    told += f"with {FEW} and {MANY} rows: "
    told += ", ".join(f"{path} {few[path]}={many[path]}" for path in LISTS)
    faults = []
    if opened > OPENED or submitted > SUBMITTED:
        faults.append("more statements than allowed")
    return Line(GOAL, [max(many[path] / few[path] for path in LISTS)], told, faults)


def statements(work: Callable[[], object]) -> int:
    """How many statements reach the database; the second call, with caches warm."""
    work()
    seen: list[str] = []

    def note(execute: Callable[..., object], sql: str, *rest: object) -> object:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        work()
    return len(seen)


def _answer_page() -> tuple[int, int]:
    asked = people.invitations(people.contacts(2, "P3"), "P3", at=timezone.now())
    paths = [f"/s/{links.survey_token(one.uuid)}/" for one in asked]
    form = urlencode({one.key: one.hi for one in pages.scored(asked[0])})
    again = iter(paths)
    opened = statements(lambda: pages.call("GET", paths[0]))
    return opened, statements(lambda: pages.call("POST", next(again), form))


def _get(browser: Browser, path: str) -> None:
    response = browser.get(path)
    assert response.status_code == 200, f"{path}: {response.status_code}"
    b"".join(response)


def _rows(count: int, mark: str) -> None:
    """Clients with a person and an answered survey each."""
    at = timezone.now() - timedelta(days=1)
    asked = people.invitations(people.contacts(count, mark), mark, at=at)
    question = questionnaires.questions(asked[0].version)[0]
    made = Response.objects.bulk_create(
        Response(
            response_id=f"{mark}-{one.pk}",
            invitation=one,
            client_id=one.client_id,
            contact_id=one.contact_id,
            version_id=one.version_id,
            language="zh",
            submitted_at=at,
        )
        for one in asked
    )
    Answer.objects.bulk_create(Answer(response=one, question=question, value=9) for one in made)
