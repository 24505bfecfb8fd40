"""NPS over answers and over clients (metrics-spec 3.1, 4.1-4.2, 4.4, 13.2)."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Literal

from metrics.formulas import answers, periods, uncertainty
from metrics.formulas.answers import Counts
from metrics.formulas.parameters import DEFAULT, Clients

VERSION = 1

Label = Literal["promoter", "passive", "detractor"]

_RULES = DEFAULT.clients
_CODES: dict[Label, int] = {"promoter": 1, "passive": 0, "detractor": -1}


@dataclass(frozen=True, slots=True)
class Client:
    """One client's raw recommend answers with their role weights, and its exposure.

    A role weight of null is the default; 0 excludes. A missing or negative exposure is 0.
    """

    id: str
    answers: Sequence[tuple[object, float | None]] = ()
    exposure: float | None = None


@dataclass(frozen=True, slots=True)
class ClientNps:
    """All client figures of one population; NPS in points, coverage 0..1, null over nothing.

    `clients` and `responses` are the counts behind the intervals of nps_client and
    nps_respondent; `exposures` holds the exposure of each answered client, in the order of
    `labels`, for the interval of nps_exposure. `nps_exposure_capped` is there only when one
    client holds more than 20 % of the answered exposure.
    """

    labels: dict[str, Label]
    split_clients: list[str]
    n_responses: int
    n_clients_answered: int
    n_clients: int
    nps_respondent: float | None
    nps_client: float | None
    nps_client_frac: float | None
    nps_exposure: float | None
    nps_exposure_frac: float | None
    nps_exposure_capped: float | None
    coverage_clients: float | None
    coverage_exposure: float | None
    responses: Counts
    clients: Counts
    exposures: dict[str, float]
    max_client_share: float | None


@dataclass(frozen=True, slots=True)
class RollingPoint:
    """The NPS of the window that ends on a local day, with its number of valid answers."""

    as_of: date
    n: int
    nps: float | None


@dataclass(frozen=True, slots=True)
class _Answered:
    """One client with at least one answer that counts."""

    id: str
    label: Label
    code: float
    counts: Counts
    exposure: float


def point(counts: Counts) -> float | None:
    """Return 100 (P - D)/n in points, -100..100; null without answers (metrics-spec 3.1)."""
    return None if counts.n == 0 else 100 * (counts.p - counts.d) / counts.n


def client_mean(
    given: Iterable[tuple[object, float | None]], *, rules: Clients = _RULES
) -> float | None:
    """Return sum w x / sum w over a client's valid answers, in 0..10.

    The sums are exact in the decimal text of the weights, so that all nines give 9. Null if no
    valid answer has a weight above 0. Source: metrics-spec 4.1.
    """
    kept = _usable(given, rules)
    total = sum(w for _, w in kept)
    return float(sum(w * x for x, w in kept) / total) if total else None


def client_label(mean: float | None, *, rules: Clients = _RULES) -> Label | None:
    """Return the label of a client mean: [9, 10], [7, 9), [0, 7), without rounding.

    Null for a missing mean. Source: metrics-spec 4.1.
    """
    if mean is None or math.isnan(mean):
        return None
    if mean >= rules.promoter_from:
        return "promoter"
    return "passive" if mean >= rules.passive_from else "detractor"


def client_nps(clients: Sequence[Client], *, rules: Clients = _RULES) -> ClientNps:
    """Return every client-level variant of NPS for the eligible clients of one population.

    Clients without a valid answer are eligible but not answered; exposure figures are null
    when the answered clients have none. Source: metrics-spec 4.2, 4.4.
    """
    found = [one for one in (_answered(client, rules) for client in clients) if one]
    responses = sum((one.counts for one in found), Counts())
    labels = Counts(*(sum(_CODES[one.label] == c for one in found) for c in (-1, 0, 1)))
    exposures = [one.exposure for one in found]
    votes = [float(_CODES[one.label]) for one in found]
    inside = [one.code for one in found]
    everything = math.fsum(_exposure(client.exposure) for client in clients)
    return ClientNps(
        labels={one.id: one.label for one in found},
        split_clients=[one.id for one in found if one.counts.p and one.counts.d],
        n_responses=responses.n,
        n_clients_answered=len(found),
        n_clients=len(clients),
        nps_respondent=point(responses),
        nps_client=point(labels),
        nps_client_frac=_weighted(inside, [1.0] * len(found)),
        nps_exposure=_weighted(votes, exposures),
        nps_exposure_frac=_weighted(inside, exposures),
        nps_exposure_capped=_capped(votes, exposures, rules),
        coverage_clients=len(found) / len(clients) if clients else None,
        coverage_exposure=math.fsum(exposures) / everything if everything else None,
        responses=responses,
        clients=labels,
        exposures={one.id: one.exposure for one in found},
        max_client_share=max(one.counts.n for one in found) / responses.n if found else None,
    )


def rolling(
    responses: Iterable[tuple[datetime, object]],
    as_of: Iterable[date],
    *,
    zone: str = DEFAULT.periods.zone,
    days: int = DEFAULT.periods.rolling_days,
) -> list[RollingPoint]:
    """Return the NPS of the local days that end on each date, in points; null if empty.

    Answers are (instant, raw score), already one per contact inside each window. Two points
    closer than `days` share answers and are not to be tested. Source: metrics-spec 13.2.
    """
    rows = list(responses)
    points = []
    for day in as_of:
        window = periods.rolling_bounds(day, zone, days=days)
        counts = answers.count(score for at, score in rows if window.holds(at))
        points.append(RollingPoint(as_of=day, n=counts.n, nps=point(counts)))
    return points


def _answered(client: Client, rules: Clients) -> _Answered | None:
    kept = _usable(client.answers, rules)
    label = client_label(client_mean(client.answers, rules=rules), rules=rules)
    if label is None:
        return None
    total = sum(w for _, w in kept)
    return _Answered(
        id=client.id,
        label=label,
        code=float(sum(w * answers.code(x) for x, w in kept) / total),
        counts=answers.count(x for x, _ in kept),
        exposure=_exposure(client.exposure),
    )


def _usable(
    given: Iterable[tuple[object, float | None]], rules: Clients
) -> list[tuple[int, Fraction]]:
    """Return the valid scores whose role weight is above 0, with the weight made exact."""
    kept = []
    for raw, weight in given:
        score = answers.parse(raw).value
        role = rules.role_weight if weight is None else weight
        if score is not None and math.isfinite(role) and role > 0:
            kept.append((score, Fraction(repr(float(role)))))
    return kept


def _exposure(exposure: float | None) -> float:
    """Return the exposure as a weight: missing or negative is 0 (metrics-spec 4.2)."""
    usable = exposure is not None and math.isfinite(exposure) and exposure > 0
    return float(exposure) if usable and exposure is not None else 0.0


def _weighted(codes: Sequence[float], weights: Sequence[float]) -> float | None:
    total = math.fsum(weights)
    if total <= 0:
        return None
    return 100 * math.fsum(c * w for c, w in zip(codes, weights, strict=True)) / total


def _capped(codes: Sequence[float], weights: Sequence[float], rules: Clients) -> float | None:
    """Return the figure with no client above 10 %, if one holds more than 20 % (4.4)."""
    if not any(w > rules.cap_above * math.fsum(weights) for w in weights):
        return None
    return _weighted(codes, uncertainty.cap(weights, share=rules.cap_share))
