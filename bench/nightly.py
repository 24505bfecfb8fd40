"""R2 and R3: the nightly pass over everybody, against the same sums written by SQL alone.

Both sides begin with empty tables and end with as many rows of the same shape. The floor is one
set of INSERT … SELECT: the sums of every window for clients, bank, teams and segments, of the
windows before that changes are told against, of the votes of clients, of health, and of
engagement on its two days; one row a figure, nothing else. What the product adds is intervals,
tests of changes, gates, withholding, restating and the notes of what was taken in.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

from django.db import connection

from bench import bank, people
from bench.measuring import Goal, Line, in_turn, seconds
from clients.models import Client
from metrics.facts import events, population
from metrics.facts.columns import COLUMNS
from metrics.facts.statements import Asked, answers
from metrics.facts.where import Cut
from metrics.formulas import periods, scores, uncertainty
from metrics.formulas.answers import count
from metrics.formulas.parameters import DEFAULT
from metrics.models import ClientState, DueWindows, Measurement
from metrics.windows import WHOLE, Windows
from surveys.models import Answer

CLIENTS, ROUNDS, SAMPLE = 100_000, 3, 40
MEMORY, FASTER = 200, 60
R2, R3 = Goal("R2", 1.5, at_least=False), Goal("R3", 2.2, at_least=False)


def measure(scale: float) -> Line:
    """The full pass, its memory, and how much faster it is than a loop over clients."""
    clients = max(1_000, int(CLIENTS * scale))
    bank.grow(clients)
    peaks: list[float] = []

    def ours() -> float:
        found = _full()
        peaks.append(found["peak"])
        return found["seconds"]

    a, b = in_turn(ours, _floor, rounds=ROUNDS)
    loop = seconds(_loop) / SAMPLE * clients
    faster = loop / min(a)
    faults = [] if max(peaks) <= MEMORY else [f"peak {max(peaks):.0f} MiB above {MEMORY}"]
    faults += [] if faster >= FASTER else [f"{faster:.0f} x faster than a loop, not {FASTER}"]
    told = (
        f"{clients} clients, {Answer.objects.count()} answers, {_events()} events: "
        f"{min(a):.1f} s and {Measurement.objects.count()} figures, SQL alone {min(b):.1f} s; "
        f"peak {max(peaks):.0f} MiB; a loop over clients {loop:.0f} s"
    )
    return Line(R2, [x / y for x, y in zip(a, b, strict=True)], told, faults)


def doubled(scale: float) -> Line:
    """The full pass over twice the bank against the pass over the bank, in the same run."""
    clients = max(1_000, int(CLIENTS * scale))
    bank.grow(clients)
    single = sorted(_full()["seconds"] for _round in range(ROUNDS))
    bank.grow(2 * clients)
    twice = sorted(_full()["seconds"] for _round in range(ROUNDS))
    told = f"{2 * clients} clients {twice[0]:.1f} s, {clients} clients {single[0]:.1f} s"
    return Line(R3, [x / y for x, y in zip(twice, single, strict=True)], told)


def _full() -> dict[str, float]:
    """Everything from nothing, in a fresh process."""
    for model in (Measurement, ClientState, DueWindows):
        _empty(model._meta.db_table)
    done = subprocess.run(
        [sys.executable, "-m", "bench.fullpass", people.AT.isoformat()],
        check=True,
        capture_output=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _floor() -> float:
    """The sums of the same windows as rows of the same shape, by one statement a group."""
    figures = Measurement._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off; SET statement_timeout = 0")
        cursor.execute(f"CREATE TABLE IF NOT EXISTS floor_figures (LIKE {figures} INCLUDING ALL)")
        cursor.execute("TRUNCATE floor_figures")
        return seconds(lambda: [cursor.execute(*one) for one in _statements()])


def _statements() -> Iterator[tuple[str, list[object] | dict[str, object]]]:
    windows = Windows(people.AT)
    first, last = population.span()
    above = [key for key in windows.of_units(first, last) if key != WHOLE]
    before = [earlier for key in above if (earlier := windows.before(key))]
    keys = {
        "client": windows.of_clients(windows.months(first, last)),
        "bank": list(dict.fromkeys([*above, *before])),
    }
    for scope, some in keys.items():
        bounds = [(place, windows.bounds(key)) for place, key in enumerate(some)]
        sums = answers(Asked(bounds, Cut(), {}, DEFAULT))
        names = ", ".join(("slot", "kind", "part", "client", *COLUMNS))
        given = f"WITH given ({names}) AS ({sums.text})"
        yield f"{given} {_rows(scope, some.index(_YEAR))}", [*sums.params, some, people.AT]
    yield from _engaged()


def _engaged() -> Iterator[tuple[str, dict[str, object]]]:
    """The sums of engagement of today and of the window before, one row a component."""
    rules = DEFAULT.engagement
    for back, pair, after in (
        (0, "pair", ""),
        (rules.window_days, "MIN(pair)", "GROUP BY client"),
    ):
        day = Windows(people.AT).today - timedelta(days=back)
        window = periods.rolling_bounds(day, days=rules.window_days)
        value = "MIN(a)" if after else "a"
        yield (
            f"""
INSERT INTO floor_figures (scope, scope_id, slice, population, period, metric, value, label, n,
    clients, method, version, parameter_set, zone, as_of, gate, flags, detail)
SELECT 'client', client, '', '', 'rolling90', 'engaged {back} ' || {pair}, {value}, '', 1, 1,
    'sql', 1, 'ps-floor', 'Asia/Shanghai', now(), '', '', jsonb_build_object('sum', {value})
FROM ({events.statement(None, {}, rules, day)}) sums (client, pair, a, b, n) {after}
""",  # noqa: S608 - the pieces are constants
            events.params(day, window),
        )


def _rows(scope: str, year: int) -> str:
    """One row a figure of each client, or of the bank and each team, whole and by segment."""
    if scope == "client":
        source = "SELECT client AS unit, 'client' AS scope, '' AS slice, * FROM given"
        own = ("health", f"CASE WHEN slot = {year} AND kind = 0 THEN {_N} ELSE 0 END", _HEALTH)
    else:
        totals = ", ".join(f"SUM({name}) AS {name}" for name in COLUMNS)
        source = f"""
SELECT COALESCE(member.team_id, 0) AS unit, COALESCE('segment=' || member.segment, '') AS slice,
    CASE WHEN GROUPING(member.team_id) = 1 THEN 'bank' ELSE 'team' END AS scope,
    slot, given.kind, {totals},
    SUM(CASE WHEN {_TOTAL} >= 9 * ({_N}) THEN 1 WHEN {_TOTAL} < 7 * ({_N}) THEN -1 ELSE 0 END)
        FILTER (WHERE {_N} > 0) AS votes, COUNT(*) FILTER (WHERE {_N} > 0) AS voters
FROM given JOIN clients_client member ON member.id = client
GROUP BY slot, given.kind, GROUPING SETS
    ((member.team_id, member.segment), (member.team_id), (member.segment), ())
"""  # noqa: S608 - names of columns
        own = ("nps", "voters", "100 * votes / NULLIF(voters, 0)")
    metrics = ", ".join(
        f"('{name}', {n}, {value})"
        for name, n, value in (
            own,
            ("nps_respondent", _N, f"100 * (h9 + h10 - ({_D})) / NULLIF({_N}, 0)"),
            ("recommend_mean", "open_n", "open_total / NULLIF(open_n, 0)"),
            ("client_label", "open_n", "NULL"),
            *(
                (f"csat_{name}", f"{name}_n", f"{name}_top / NULLIF({name}_n, 0)")
                for name in ("response_speed", "processing_efficiency", "service_attitude")
            ),
            ("csat", "csat_n", "csat_total / NULLIF(csat_n, 0)"),
            ("ces", "ces_n", "ces_total / NULLIF(ces_n, 0)"),
        )
    )
    return f"""
INSERT INTO floor_figures (scope, scope_id, slice, population, period, metric, value, low, high,
    label, n, clients, method, version, parameter_set, zone, as_of, gate, flags, detail)
SELECT scope, unit, slice, CASE kind WHEN 0 THEN 'relational' ELSE 'other' END,
    (%s::text[])[slot::int + 1], figure.metric, figure.value, figure.value, figure.value, '',
    figure.n, 1, 'sql', 1, 'ps-floor', 'Asia/Shanghai', %s, '', '',
    jsonb_build_object('counts', jsonb_build_array(h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, h10),
        'n', figure.n, 'value', figure.value)
FROM ({source}) sums CROSS JOIN LATERAL (VALUES {metrics}) figure (metric, n, value)
WHERE figure.n > 0
"""  # noqa: S608 - the pieces are constants


_N = "h0 + h1 + h2 + h3 + h4 + h5 + h6 + h7 + h8 + h9 + h10"
_D = "h0 + h1 + h2 + h3 + h4 + h5 + h6"
_TOTAL = "(" + " + ".join(f"{score} * h{score}" for score in range(1, 11)) + ")"
_HEALTH = f"0.3 * 10 * {_TOTAL} / ({_N}) + 0.4 * csat_total / NULLIF(csat_n, 0)"
_YEAR = "rolling12m"


def _loop() -> None:
    """The naive way: each client's answers as objects, counted in Python, stored one by one."""
    windows = Windows(people.AT)
    keys = windows.of_clients(windows.months(*population.span()))
    for client in Client.objects.filter(code__startswith="R2-").order_by("pk")[:SAMPLE]:
        for key in keys:
            _one(client, key, windows)


def _one(client: Client, key: str, windows: Windows) -> None:
    bounds = windows.bounds(key)
    rows = Answer.objects.filter(
        response__client=client,
        response__submitted_at__gte=bounds.start,
        response__submitted_at__lt=bounds.end,
        response__retracted_at__isnull=True,
    ).select_related("response", "question")
    last: dict[tuple[int | None, str], Answer] = {}
    for row in sorted(rows, key=lambda row: row.response.submitted_at):
        last[row.response.contact_id, row.question.key] = row
    for name in {question for _contact, question in last}:
        values = [row.value for (_, question), row in last.items() if question == name]
        counts = count(values)
        ends = uncertainty.adjusted_wald(counts)
        Measurement.objects.update_or_create(
            scope="client",
            scope_id=client.pk,
            slice="",
            population="loop",
            period=key,
            metric=name,
            defaults={
                "value": scores.point(counts),
                "low": ends.low if ends else None,
                "high": ends.high if ends else None,
                "n": counts.n,
                "clients": 1,
                "method": "loop",
                "version": 1,
                "parameter_set": "",
                "zone": windows.zone,
                "as_of": people.AT,
                "detail": {"values": values},
            },
        )


def _empty(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'TRUNCATE "{table}"')


def _events() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM clients_touchpoint")
        return int(cursor.fetchone()[0])
