"""The log of a bank's own web server: page views of people, each one once."""

import gzip
from datetime import UTC, datetime

import pytest
from django.utils import translation

from clients import machines
from clients.imports import engine, mapping, reading
from clients.imports.reporting import Unreadable
from clients.models import ChangeNote, Touchpoint
from cxportal.imports import KINDS
from tests.factories import NOW, make_client

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"
ROBOT = "Mozilla/5.0 (compatible; Examplebot/2.1; +http://bot.example/)"


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


VIEWS = {
    "client_code": {"column": "user", "values": {"yun": "C1", "*": None}},
    "kind": {"constant": "page_view"},
    "source": {"constant": "portal"},
    "@rows": {"skip_without_any": ["client_code"]},
}


def line(
    path="/accounts/",
    *,
    address="10.0.0.1",
    user="yun",
    at="17/Jan/2026:10:05:40 +0800",
    method="GET",
    status=200,
    agent=BROWSER,
):
    return f'{address} - {user} [{at}] "{method} {path} HTTP/1.1" {status} 512 "-" "{agent}"'


def run(lines, by_map=VIEWS, name="access.log"):
    content = ("\n".join(lines) + "\n").encode()
    table = reading.parse(gzip.compress(content) if name.endswith(".gz") else content, name)
    kind = KINDS["touchpoints"]()
    return engine.run(kind, table, by_map=mapping.load(by_map), apply=True, at=NOW)


def told(report):
    with translation.override("en"):
        return [str(one.say) for one in report.problems]


@pytest.fixture
def yun(db):
    return make_client("C1")


@pytest.mark.parametrize("name", ["access.log", "access.log.gz"])
def test_a_page_seen_by_a_person_becomes_a_view(yun, name):
    report = run([line("/accounts/?month=9"), line("/loans/", status=304)], name=name)
    assert tuple(report.counts().values()) == (2, 0, 0, 0, 0, 0)
    view = Touchpoint.objects.order_by("pk")[0]
    assert (view.client, view.kind, view.source) == (yun, "page_view", "portal")
    assert view.at == datetime(2026, 1, 17, 2, 5, 40, tzinfo=UTC)
    assert [note.client_ids for note in ChangeNote.objects.all()] == [[yun.pk]]


def test_what_is_no_view_of_a_person_is_left_out_with_its_reason(yun):
    report = run(
        [
            line(),
            "garbage",
            line(agent=ROBOT),
            line(agent="-"),
            line("/robots.txt", address="10.0.0.9"),
            line(address="10.0.0.9"),
            line(method="HEAD"),
            line(method="POST"),
            line(status=404),
            line(status=302),
            line("/site.CSS?v=3"),
            line("/logo.png"),
            line("/statement.pdf"),
        ]
    )
    assert (report.rows, report.new, report.skipped, report.errors) == (13, 2, 11, 0)
    assert told(report) == [
        "Lines left out: 1 (not in the combined log format).",
        "Lines left out: 2 (crawlers, scripts and others that are no browser).",
        "Lines left out: 2 (addresses that asked for robots.txt).",
        "Lines left out: 2 (no page is fetched: HEAD, POST and others).",
        "Lines left out: 2 (refused, failed or sent elsewhere).",
        "Lines left out: 2 (pictures, scripts and other parts of a page).",
    ]


def test_the_same_log_again_and_one_that_overlaps_it_add_nothing_twice(yun):
    first = [line("/a"), line("/b"), line("/b"), line("/c")]
    assert run(first).new == 4
    numbers = set(Touchpoint.objects.values_list("event_id", flat=True))
    assert len(numbers) == 4
    again = run(first)
    assert (again.new, again.unchanged) == (0, 4)
    later = run([*first[1:], line("/d")])
    assert (later.new, later.unchanged) == (1, 3)
    assert numbers < set(Touchpoint.objects.values_list("event_id", flat=True))


def test_visitors_whom_the_mapping_does_not_name_are_skipped(yun):
    report = run([line(), line(user="stranger"), line(user="-")])
    assert (report.new, report.skipped, report.errors) == (1, 2, 0)


def test_a_user_with_blanks_and_an_agent_with_quotes_are_read(yun):
    by_map = VIEWS | {"client_code": {"column": "user", "values": {"Yun Ting": "C1"}}}
    report = run([line(user="Yun Ting", agent=BROWSER + r" \"x\"")], by_map)
    assert report.new == 1


@pytest.mark.parametrize(
    "lines",
    [
        ["one line of text"],
        ["x", "y", line()],
        [line(at="32/Jan/2026:10:05:40 +0800")],
        [line(at="17/Foo/2026:10:05:40 +0800")],
        [line(at="17/Jan/2026:10:05:40 +9900")],
    ],
)
def test_a_file_that_is_no_log_is_one_sentence(yun, lines):
    with pytest.raises(Unreadable, match="combined format"), translation.override("en"):
        run(lines)


def test_a_log_with_too_many_views_is_refused(yun, monkeypatch):
    monkeypatch.setattr(reading, "MAX_ROWS", 2)
    with pytest.raises(Unreadable):
        run([line(f"/{number}") for number in range(3)])


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (BROWSER, False),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1", False),
        ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)", False),
        ("Opera/9.80 (Windows NT 6.1) Presto/2.12", False),
        (ROBOT, True),
        ("", True),
        ("curl/8.0", True),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0", True),
        ("Mozilla/5.0 (compatible; Moon/1.0)", True),
        ("Mozilla/5.0 (Windows NT 6.1; http://moon.example)", True),
    ],
)
def test_programs_are_told_from_browsers(agent, expected):
    assert machines.is_machine(agent) is expected
