"""Parsing, scales and duplicates at their edges."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import numpy as np
import pytest

from metrics.formulas import answers
from metrics.formulas.answers import Answer, Counts, Delivery, Status

NAN = float("nan")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def row(response_id, contact="1", hours=0, **fields):
    return Delivery(response_id, "A", contact, NOON + timedelta(hours=hours), **fields)


def ids(rows, **policy):
    return [one.response_id for one in answers.dedupe(rows, **policy)]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (0, 0),
        (-0.0, 0),
        ("０", 0),
        ("１０", 10),
        ("９．０", 9),
        ("\u30007\t", 7),
        ("09", 9),
        ("⑨", 9),
        (np.int64(8), 8),
        (np.float32(8.0), 8),
        (np.float64(8.0), 8),
        (Decimal("8.00"), 8),
    ],
)
def test_parse_accepts_whole_numbers_of_the_scale(raw, value):
    assert answers.parse(raw) == Answer(Status.OK, value)


@pytest.mark.parametrize("raw", [None, "", "  ", "\u3000", NAN, np.float64(NAN), Decimal("NaN")])
def test_parse_skips_what_is_empty(raw):
    assert answers.parse(raw) == Answer(Status.SKIPPED)


@pytest.mark.parametrize("raw", ["N/A", " n/a ", "Ｎ／Ａ", "不适用", "不了解", "-", "－"])
def test_parse_knows_no_experience(raw):
    assert answers.parse(raw) == Answer(Status.NA)


@pytest.mark.parametrize(
    "raw",
    [
        *(11, -1, 8.5, float("inf"), float("-inf"), Decimal("8.9999999999999999999"), 10**400),
        *("8.5", "+9", "-1", "-0", "10分", "1e1", "9.", "９分", "九", "٩", "1_0", "nan", "9 9"),
        *(True, False, np.bool_(True), [9], b"9", object()),
    ],
)
def test_parse_refuses_everything_else(raw):
    assert answers.parse(raw) == Answer(Status.INVALID)


def test_parse_reads_a_sign_only_where_the_scale_goes_below_zero():
    assert answers.parse("-2", lo=-3, hi=3).value == -2
    assert answers.parse("-4", lo=-3, hi=3).status is Status.INVALID


@pytest.mark.parametrize("formula", [answers.reverse, answers.rescale])
def test_scales_give_null_for_missing_and_off_the_scale(formula):
    assert [formula(x, lo=1, hi=5) for x in (None, NAN, 0, 6)] == [None] * 4


def test_rescale_gives_null_for_a_scale_without_width():
    assert answers.rescale(3, lo=3, hi=3) is None


def test_reverse_before_rescale():
    assert answers.rescale(answers.reverse(2, lo=1, hi=5), lo=1, hi=5) == 75.0


def test_counts_leave_out_what_is_not_valid():
    assert answers.count([10, "9", None, "N/A", 8.5, 11, True, "６", 7]) == Counts(d=1, s=1, p=2)


def test_counts_refuse_to_be_negative():
    with pytest.raises(ValueError, match="negative"):
        Counts(d=-1)


def test_finite_drops_null_nan_and_infinity():
    assert answers.finite([1, None, NAN, float("inf"), 2.5]) == [1.0, 2.5]


def test_dedupe_is_the_same_in_any_order_of_delivery():
    rows = [
        *(row("a"), row("b", hours=2), row("c", hours=1)),
        *(row("d", hours=3), row("d", hours=4, kind="retract")),
    ]
    assert {tuple(ids(order)) for order in permutations(rows)} == {("b",)}


def test_dedupe_keeps_a_retracted_id_out_for_good():
    assert ids([row("a", kind="retract"), row("a"), row("a", hours=5)]) == []
    assert ids([row("a"), row("a", kind="retract"), row("b", kind="correction")]) == ["b"]


def test_dedupe_takes_a_response_without_contact_as_its_own():
    assert ids([row("a", None), row("b", None), row("c", "")]) == ["a", "b", "c"]


def test_dedupe_breaks_ties_by_id_under_either_policy():
    rows = [row("a"), row("b")]
    assert (ids(rows), ids(rows, policy="first")) == (["b"], ["a"])


def test_dedupe_compares_instants_not_texts():
    early = replace(row("b"), submitted_at=datetime.fromisoformat("2026-03-01T19:00+08:00"))
    assert ids([early, row("a")]) == ["a"]


def test_dedupe_keeps_clients_items_and_survey_types_apart():
    rows = [row("a"), row("b", question="ces"), row("c", survey_type="pulse")]
    moved = replace(row("d"), client_id="B")
    assert ids([*rows, moved, row("e", kind="test"), row("f", kind="preview")]) == list("abcd")


def test_dedupe_counts_the_first_delivery_of_an_id():
    assert answers.dedupe([row("a", hours=1), row("a")]) == [row("a", hours=1)]


def test_dedupe_refuses_naive_timestamps_and_unknown_policies():
    naive = replace(row("a"), submitted_at=datetime(2026, 3, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="offset"):
        answers.dedupe([naive])
    with pytest.raises(ValueError, match="policy"):
        answers.dedupe([], policy="middle")
