"""Figures after changes beside answers: exposure, mergers, segments, stages, late arrivals."""

from datetime import date, timedelta
from random import Random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients import changes
from clients.models import ChangeNote, Client, ExchangeRate, Facility, Stage
from metrics import recompute, sources
from metrics.models import ClientState, DueWindows, Measurement
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
HISTORY = {"id", "as_of", "restated_at"}
CONTENT = [one.name for one in Measurement._meta.fields if one.name not in HISTORY]


@pytest.fixture
def version():
    return factories.make_full_version()


def stored(metric, scope="bank", scope_id=0, *, period="rolling12m", kind="relational", part=""):
    """One stored figure, or none."""
    return Measurement.objects.filter(
        metric=metric, scope=scope, scope_id=scope_id, slice=part, population=kind, period=period
    ).first()


def answer(version, company, score, *, days=0.5, **fields):
    at = fields.pop("submitted_at", NOW - days * DAY)
    return factories.make_scores(version, company, {"nps": score}, submitted_at=at, **fields)


def lend(company, limit, **fields):
    facility = Facility.objects.create(
        number=f"F{Facility.objects.count()}", client=company, as_of=date(2026, 1, 1), **fields
    )
    facility.balances.create(as_of=date(2026, 1, 1), limit=limit)
    changes.note([company.pk], at=NOW)
    return facility


def everything():
    """All stored figures, but for number, instant and what tells that they were restated."""
    rows = list(Measurement.objects.values(*CONTENT))
    for row in rows:
        row["flags"] = " ".join(flag for flag in row["flags"].split() if flag != "RESTATED")
        row["detail"].pop("restated_from", None)
    return sorted(rows, key=lambda row: str([row[name] for name in CONTENT[:7]]))


def test_exposure_that_is_noted_reaches_the_figures_and_the_note_goes(version):
    companies = [factories.make_client() for _number in range(6)]
    for company in companies[:5]:
        answer(version, company, 9)
    recompute.refresh_stale(at=NOW)
    assert stored("nps_exposure").gate == "ZERO_EXPOSURE"
    for company in companies:
        lend(company, 100)
    assert recompute.refresh_stale(at=NOW) == 6
    assert (ChangeNote.objects.count(), DueWindows.objects.count()) == (0, 0)
    row = stored("nps_exposure")
    assert (row.value, row.gate, row.coverage_exposure) == (100, "", 5 / 6)
    assert stored("nps").coverage_exposure == stored("coverage_exposure").value == 5 / 6
    silent = stored("silent_exposure", kind="")
    assert (silent.value, silent.detail["amount"], silent.clients) == (1 / 6, 100, 1)


def test_new_rate_reaches_the_figures(version):
    company = factories.make_client()
    answer(version, company, 9)
    lend(company, 100, currency="EUR")
    recompute.refresh_stale(at=NOW)
    assert stored("nps_exposure").gate == "ZERO_EXPOSURE"
    ExchangeRate.objects.create(currency="EUR", as_of=date(2026, 1, 1), rate="7.5")
    changes.note([company.pk], at=NOW)
    recompute.refresh_stale(at=NOW)
    assert stored("nps_exposure").detail["exposure"] == 750


def test_an_answer_owes_only_the_windows_that_hold_it(version):
    company = factories.make_client()
    answer(version, company, 9, days=200)
    recompute.refresh_stale(at=NOW)
    answer(version, company, 9)
    recompute.refresh(company.pk, at=NOW)
    (due,) = DueWindows.objects.all()
    assert due.keys == [
        "2026-11",
        "2026Q4",
        "all",
        "rolling12m",
        "rolling3m:2026-11",
        "rolling90",
    ]


def test_another_fact_of_a_client_owes_the_newest_windows_only(version):
    company = factories.make_client()
    answer(version, company, 9)
    recompute.refresh_stale(at=NOW)
    changes.note([company.pk], at=NOW)
    recompute._take_notes(NOW)
    recompute.refresh(company.pk, at=NOW)
    assert [due.keys for due in DueWindows.objects.all()] == [["rolling12m", "rolling90"]]


def test_figure_of_a_period_that_was_over_is_restated(version):
    companies = [factories.make_client() for _number in range(6)]
    for company in companies[:5]:
        answer(version, company, 9, days=60)
    recompute.refresh_stale(at=NOW)
    answer(version, companies[5], 0, days=60)
    recompute.refresh_stale(at=NOW + timedelta(minutes=5))
    over, running = stored("nps", period="2026-09"), stored("nps")
    assert (over.restated_at, over.detail["restated_from"]) == (NOW + timedelta(minutes=5), 100)
    assert over.flags == "LOW_BASE RESTATED"
    assert (running.restated_at, running.flags) == (None, "LOW_BASE")
    before = list(Measurement.objects.order_by("id").values())
    recompute.refresh_all(at=NOW + timedelta(minutes=9))
    assert list(Measurement.objects.order_by("id").values()) == before


def test_quarter_of_a_client_is_restated_too(version):
    company = factories.make_client()
    answer(version, company, 9, days=60)
    recompute.refresh_stale(at=NOW)
    answer(version, company, 3, days=60)
    recompute.refresh_stale(at=NOW)
    row = stored("recommend_mean", "client", company.pk, period="2026Q3")
    assert (row.value, row.detail, row.flags) == (6, {"restated_from": 9}, "RESTATED")


def test_segments_of_a_unit_stand_beside_the_whole(version, staff):
    for segment, score in (("corporate", 9), ("project_finance", 0)):
        for _number in range(6):
            answer(version, factories.make_client(team=staff.east, segment=segment), score)
    recompute.refresh_stale(at=NOW)
    for scope, number in (("bank", 0), ("team", staff.east.pk)):
        assert stored("nps", scope, number).value == 0
        for segment, value in (("corporate", 100), ("project_finance", -100)):
            row = stored("nps", scope, number, part=f"segment={segment}")
            assert (row.value, row.eligible, row.gate) == (value, 6, "")


def test_small_segment_hides_the_other_one(version):
    for segment, count in (("corporate", 9), ("project_finance", 3)):
        for _number in range(count):
            answer(version, factories.make_client(segment=segment), 9)
    recompute.refresh_stale(at=NOW)
    gates = {
        segment: stored("nps", part=f"segment={segment}").gate
        for segment in ("corporate", "project_finance")
    }
    assert gates == {
        "corporate": "COMPLEMENTARY",
        "project_finance": "MIN_CLIENTS MIN_RESPONSES",
    }
    assert stored("nps").gate == ""


def test_stages_of_transactional_answers_make_the_heat_map():
    version = factories.make_full_version(kind="transactional")
    Stage.objects.create(
        case_kind="loan", code="approval", position=1, name_zh="审批", name_en="Approval"
    )
    for number in range(7):
        company = factories.make_client()
        case = factories.make_case(company)
        reached = case.milestones.create(
            external_id=f"M{number}", code="approval", occurred_at=NOW
        )
        invitation = factories.make_invitation(
            factories.make_contact(company), version=version, case=case, milestone=reached
        )
        if number:
            factories.make_response(invitation, {"nps": 9}, submitted_at=NOW - DAY)
    recompute.refresh_stale(at=NOW)
    for part in ("stage=approval", "segment=corporate&stage=approval"):
        for period in ("rolling12m", "2026Q4"):
            row = stored("nps", kind="transactional", part=part, period=period)
            assert (row.value, row.n, row.eligible) == (100, 6, 7)
    assert stored("nps", kind="transactional", part="stage=approval", period="2026-11") is None


def test_merged_client_hands_its_figures_to_its_successor(version):
    old, new = factories.make_client(), factories.make_client()
    answer(version, old, 9, days=60)
    answer(version, new, 1)
    recompute.refresh_stale(at=NOW)
    old.merged_into, old.merged_on = new, date(2026, 11, 1)
    old.save()
    recompute.refresh_stale(at=NOW)
    assert stored("recommend_mean", "client", new.pk).value == 5
    assert stored("recommend_mean", "client", old.pk) is None
    assert stored("recommend_mean", "client", old.pk, period="2026Q3").value == 9
    assert stored("nps").eligible == 1
    late = answer(version, old, 9)
    recompute.refresh_stale(at=NOW)
    assert stored("recommend_mean", "client", new.pk).n == 3
    late.retracted_at = NOW
    late.save()
    recompute.refresh_stale(at=NOW)
    assert stored("recommend_mean", "client", new.pk).n == 2


def test_pass_that_dies_loses_nothing(version, monkeypatch):
    company = factories.make_client()
    answer(version, company, 9)
    changes.note([company.pk], at=NOW)

    def dies(_work):
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(sources, "UNIT_SOURCES", (*sources.UNIT_SOURCES, dies))
        recompute._refresh_blocks([company.pk], NOW)
        with pytest.raises(RuntimeError), transaction.atomic():
            recompute._refresh_due(NOW)
    assert stored("nps") is None
    recompute.refresh_stale(at=NOW)
    assert (stored("nps").n, DueWindows.objects.count()) == (1, 0)


def test_many_rows_are_stored_like_few_and_unchanged_ones_stay(version, monkeypatch):
    for place in range(110):
        answer(version, factories.make_client(), place % 11)
    recompute.refresh_all(at=NOW)
    many, before = everything(), list(Measurement.objects.order_by("id").values())
    recompute.refresh_all(at=NOW + timedelta(minutes=1))
    assert list(Measurement.objects.order_by("id").values()) == before
    Measurement.objects.all().delete()
    monkeypatch.setattr(recompute, "_BLOCK", 10)
    recompute.refresh_all(at=NOW)
    assert everything() == many


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["answer", "late", "again", "retract", "move", "merge", "lend", "segment", "refresh"]
        ),
        st.integers(0, 2**16),
    ),
    min_size=1,
    max_size=14,
)


def play(event, seed, world):
    """One event of a history; `seed` decides whom and what it concerns."""
    random = Random(seed)
    company = random.choice(world["clients"])
    live = [row for row in world["rows"] if row.retracted_at is None]
    if event == "refresh":
        recompute.refresh_stale(at=NOW)
    elif event == "again" and live:
        row = random.choice(live)
        row.answers.update(value=random.randrange(1, 6))
        row.revision += 1
        row.save()
    elif event == "retract" and live:
        row = random.choice(live)
        row.retracted_at = NOW
        row.save()
    elif event in ("answer", "late"):
        days = random.randrange(500) if event == "late" else 0
        world["rows"].append(scored(world, random, company, NOW - days * DAY))
    else:
        change(event, random, company, world)


def change(event, random, company, world):
    if event == "move":
        company.team = random.choice(world["teams"])
    elif event == "segment":
        company.segment = random.choice(Client.Segment.values)
    elif event == "merge":
        into = random.choice([one for one in world["clients"] if one != company])
        company.merged_into, company.merged_on = into, (NOW - random.randrange(300) * DAY).date()
    elif event == "lend":
        lend(company, random.randrange(1000))
    company.save()


def scored(world, random, company, at):
    given_ = {
        "nps": random.randrange(11),
        "speed": random.randrange(1, 6),
        "efficiency": random.randrange(1, 6),
        "attitude": random.randrange(1, 6),
        "ces": random.randrange(1, 8),
        "trust": random.randrange(1, 8),
    }
    kept = dict(random.sample(sorted(given_.items()), random.randrange(1, 7)))
    person = random.choice([None, *world["people"]])
    return factories.make_scores(world["version"], company, kept, contact=person, submitted_at=at)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=EVENTS)
def test_any_history_ends_the_same_one_by_one_in_blocks_and_from_nothing(
    staff, monkeypatch, events
):
    with transaction.atomic():
        clients = [factories.make_client(team=team) for team in (staff.east, staff.west, None)]
        world = {
            "version": factories.make_full_version(),
            "teams": [staff.east, staff.west, staff.branch, None],
            "clients": clients,
            "people": [factories.make_contact(one, consent="") for one in clients],
            "rows": [],
        }
        for event, seed in events:
            play(event, seed, world)
        recompute.refresh_stale(at=NOW)
        incremental = everything()
        for block in (1, 2, 2_500):
            Measurement.objects.all().delete()
            ClientState.objects.all().delete()
            monkeypatch.setattr(recompute, "_BLOCK", block)
            recompute.refresh_all(at=NOW)
            assert everything() == incremental
        transaction.set_rollback(True)
