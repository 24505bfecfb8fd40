"""P1 and P2: the answer page opened and submitted, each against a bare view, in-process.

Both sides pass the same middleware, so the ratio tells what our view, and not Django, costs.
"""

import io
import statistics
import time
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone

from bench import bare, people
from bench.measuring import Goal, Line, in_turn
from cxportal.wsgi import application
from surveys import links, questionnaires
from surveys.models import Invitation, Question

OPENED, SUBMITTED = Goal("P1", 0.60), Goal("P2", 0.40)
SLOWEST = 2.5
VISITS, ROUNDS = 3_000, 7


def opened(scale: float) -> Line:
    """GET of the page in Chinese, as from a fresh link, each time another invitation."""
    count = max(150, int(VISITS * scale))
    asked = _invitations(count, "P1")
    pages = [f"/s/{links.survey_token(one.uuid)}/" for one in asked]
    bare.BODY[0] = call("GET", pages[0])[1]
    floors = [f"/bare/page/{one.survey_digest}/" for one in asked]
    a, b = in_turn(
        lambda: sum(timed("GET", path) for path in pages) / count,
        lambda: sum(timed("GET", path) for path in floors) / count,
        rounds=ROUNDS,
    )
    told = (
        f"answer page of {len(bare.BODY[0]) // 1024} KiB against a bare view behind the same "
        f"middleware, in-process; {1 / min(a):.0f}/s of {1 / min(b):.0f}/s"
    )
    return Line(OPENED, [y / x for x, y in zip(a, b, strict=True)], told)


def submitted(scale: float) -> Line:
    """POST of four answers, each to its own link; the slowest twentieth is judged as well."""
    count = max(100, int(VISITS * scale))
    asked = _invitations(count * (ROUNDS + 1), "P2")
    questions = scored(asked[0])
    bare.QUESTIONS[:] = [one.pk for one in questions]
    form = urlencode({one.key: one.hi for one in questions})
    links_ = iter([f"/s/{links.survey_token(one.uuid)}/" for one in asked])
    own = {"client": asked[0].client_id, "version": asked[0].version_id}
    numbers = iter(range(len(asked)))
    slow: dict[str, list[float]] = {"ours": [], "theirs": []}

    def ours() -> float:
        took = [timed("POST", next(links_), form, status="302") for _ in range(count)]
        return _noted(slow["ours"], took)

    def theirs() -> float:
        plain = urlencode(own)
        paths = [f"/bare/submit/B-{next(numbers)}/" for _ in range(count)]
        return _noted(slow["theirs"], [timed("POST", path, plain, status="302") for path in paths])

    a, b = in_turn(ours, theirs, rounds=ROUNDS)
    tail = statistics.median(x / y for x, y in zip(slow["ours"], slow["theirs"], strict=True))
    told = (
        f"submit of {len(questions)} answers against one response and its answers in a "
        f"transaction, in-process; {1 / min(a):.0f}/s of {1 / min(b):.0f}/s; p95 {tail:.1f} x"
    )
    faults = [f"p95 above {SLOWEST} x"] if tail > SLOWEST else []
    return Line(SUBMITTED, [y / x for x, y in zip(a, b, strict=True)], told, faults)


def call(method: str, path: str, body: str = "", **environ: Any) -> tuple[str, bytes]:
    """One request to the WSGI application, as a server hands it over."""
    told: list[str] = []
    request = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_USER_AGENT": "Mozilla/5.0",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body.encode()),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    } | environ
    answer = application(request, lambda status, *_rest: told.append(status))
    content = b"".join(answer)
    answer.close()
    return told[0], content


def timed(method: str, path: str, body: str = "", *, status: str = "200") -> float:
    """How long one request took; another status than the expected one ends the run."""
    begun = time.perf_counter()
    found, _content = call(method, path, body)
    took = time.perf_counter() - begun
    assert found.startswith(status), f"{method} {path}: {found}"
    return took


def _noted(slow: list[float], took: list[float]) -> float:
    slow.append(statistics.quantiles(took, n=20)[-1])
    return statistics.mean(took)


def _invitations(count: int, mark: str) -> list[Invitation]:
    return people.invitations(people.contacts(count, mark), mark, at=timezone.now())


def scored(invitation: Invitation) -> list[Question]:
    """The four questions with a scale that everybody sees; what else is needed joins them."""
    everything = questionnaires.questions(invitation.version)
    scaled = [one for one in everything if one.hi is not None and not one.show_if]
    needed = [one for one in scaled if one.required]
    return (needed + [one for one in scaled if not one.required])[: max(4, len(needed))]
