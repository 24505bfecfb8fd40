"""P4 and P5: what the pages of the staff cost, and that ten times the answers change nothing.

Two teams alike, one with ten times the answers of the other; each page is looked at by the
supervisor of the team, in-process, behind the same middleware as the bare view.
"""

import contextlib
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.template import loader
from django.test import Client as Browser
from django.utils import timezone

from bank.models import Role, Team, User
from bench import bare, pages, people
from bench.measuring import Goal, Line
from clients.models import Client
from cxportal import listing
from metrics import recompute
from surveys import questionnaires
from surveys.models import Answer, Invitation, Response

COST, GROWTH = Goal("P4", 1, at_least=False), Goal("P5", 1, at_least=False)
# How often the bare view's time the rendering of a page may take, and all the rest of it.
RENDERING = {"overview": 16, "list of 50": 16, "client": 8}
REST = 6
# How much more a page may cost with ten times the answers: the client page draws its ratings
# (docs/decisions/0037).
GROWN = {"overview": 1.1, "list of 50": 1.1, "client": 1.5}
CLIENTS, ANSWERED, TIMES, VISITS, ROUNDS = 50, 10, 10, 200, 5
Side = dict[str, Any]


def cost(scale: float) -> Line:
    """Each page against the bare view that sends as many bytes; told in parts of its bounds."""
    few, _many = _teams()
    visits = max(10, int(VISITS * scale))
    told, worst = [], []
    for name, path in few["pages"].items():
        bare.BODY[0] = pages.call("GET", path, **few["cookie"])[1]
        rounds = [_parts(path, few, visits) for _ in range(ROUNDS + 1)][1:]
        rendering, rest = ([one[side] for one in rounds] for side in (0, 1))
        worst.append([max(x / RENDERING[name], y / REST) for x, y in rounds])
        told.append(
            f"{name} of {len(bare.BODY[0]) // 1024} KiB: rendering "
            f"{statistics.median(rendering):.1f} x (<={RENDERING[name]}), the rest "
            f"{statistics.median(rest):.1f} x (<={REST})"
        )
    ratios = [max(one) for one in zip(*worst, strict=True)]
    return Line(COST, ratios, f"parts of the bounds, the worst page; {'; '.join(told)}")


def growth(scale: float) -> Line:
    """The same pages of the team with ten times the answers, in turn."""
    few, many = _teams()
    visits = max(10, int(VISITS * scale))
    told, worst = [], []
    for name in few["pages"]:
        rounds = []
        for _round in range(ROUNDS + 1):
            x, y = (_visited(one["pages"][name], one, visits) for one in (many, few))
            rounds.append(x / y)
        worst.append([one / GROWN[name] for one in rounds[1:]])
        told.append(f"{name} {statistics.median(rounds[1:]):.2f} x (<={GROWN[name]})")
    ratios = [max(one) for one in zip(*worst, strict=True)]
    words = f"parts of the bounds, the worst page; {ANSWERED * TIMES} responses a client "
    words += f"against {ANSWERED}; "
    return Line(GROWTH, ratios, words + ", ".join(told))


def _parts(path: str, team: Side, visits: int) -> tuple[float, float]:
    """Rendering and the rest, as multiples of the bare view, alternately."""
    floor = f"/bare/page/{team['digest']}/"
    bare_, whole, rendering = 0.0, 0.0, 0.0
    for _visit in range(visits):
        bare_ += pages.timed("GET", floor)
        with _rendering() as spent:
            whole += _timed(path, team)
        rendering += sum(spent)
    return rendering / bare_, (whole - rendering) / bare_


def _visited(path: str, team: Side, visits: int) -> float:
    return statistics.median(_timed(path, team) for _visit in range(visits))


def _timed(path: str, team: Side) -> float:
    begun = time.perf_counter()
    status, _content = pages.call("GET", path, **team["cookie"])
    took = time.perf_counter() - begun
    assert status.startswith("200"), f"{path}: {status}"
    return took


@contextlib.contextmanager
def _rendering() -> Iterator[list[float]]:
    """Notes how long templates take, each time one is rendered as a page."""
    spent: list[float] = []
    plain = loader.render_to_string

    def timed(*args: Any, **kwargs: Any) -> str:
        begun = time.perf_counter()
        try:
            return plain(*args, **kwargs)
        finally:
            spent.append(time.perf_counter() - begun)

    loader.render_to_string = timed
    try:
        yield spent
    finally:
        loader.render_to_string = plain


@cache
def _teams() -> tuple[Side, Side]:
    """Both teams, made once for both goals; figures as they stand after the night."""
    listing.PAGE_SIZE = CLIENTS
    made = tuple(_team(mark, answered) for mark, answered in (("P4A", ANSWERED), ("P4B", 0)))
    for _again in range(TIMES):
        _answer(made[1]["asked"], "P4B", ANSWERED)
    recompute.refresh_all(at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum does in the course of a day
    return made[0], made[1]


def _team(mark: str, answered: int) -> Side:
    team = Team.objects.create(code=mark, name_zh=f"{mark} 部", name_en=mark)
    manager, chief = (
        User.objects.create_user(f"{mark}-{role}", password="x" * 12, role=role, team=team)
        for role in (Role.RELATIONSHIP_MANAGER, Role.SUPERVISOR)
    )
    persons = people.contacts(CLIENTS, mark)
    mine = Client.objects.filter(contacts__in=persons)
    mine.update(team=team, manager=manager)
    asked = people.invitations(persons, mark, at=timezone.now() - timedelta(days=20))
    if answered:
        _answer(asked, mark, answered)
    browser = Browser(SERVER_NAME="testserver")
    browser.force_login(chief)
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return {
        "asked": asked,
        "digest": asked[0].survey_digest,
        "cookie": {"HTTP_COOKIE": f"{settings.SESSION_COOKIE_NAME}={session}"},
        "pages": {
            "overview": "/overview/",
            "list of 50": "/clients/",
            "client": f"/clients/{asked[0].client.code}/",
        },
    }


def _answer(asked: list[Invitation], mark: str, answered: int) -> None:
    """So many responses of each client, one a month, with every answer of the scale."""
    questions = [one for one in questionnaires.questions(asked[0].version) if one.hi is not None]
    have = Response.objects.filter(client=asked[0].client_id).count()
    now = timezone.now()
    made = Response.objects.bulk_create(
        Response(
            response_id=f"{mark}-{have + step}-{one.pk}",
            client_id=one.client_id,
            contact_id=one.contact_id,
            version_id=one.version_id,
            language="zh",
            submitted_at=now - timedelta(days=30 * step + 1, minutes=have),
        )
        for step in range(answered)
        for one in asked
    )
    Answer.objects.bulk_create(
        Answer(
            response=response,
            question=question,
            value=(question.lo or 0) + (index * 7 + have) % (question.hi - (question.lo or 0) + 1),
        )
        for index, response in enumerate(made)
        for question in questions
    )
