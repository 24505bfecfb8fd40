"""Who does not answer, and what that may do to the figures (metrics-spec 6.3-6.5, 3.11)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings

from bank.models import User
from clients.models import Client
from metrics import indicators
from metrics.facts import answers, exposure, frames, timing
from metrics.facts.frames import Frame
from metrics.facts.tables import Ids, Table
from metrics.facts.where import Cut as Asked
from metrics.formulas import columns, periods, responding, uncertainty
from metrics.formulas.answers import Counts
from metrics.formulas.periods import Bounds
from metrics.formulas.responding import Cell
from metrics.formulas.uncertainty import Interval
from metrics.indicators import Given
from metrics.queries import Figure, concealed
from metrics.slicing import cells, computing, gating
from metrics.slicing.asking import Ask
from metrics.slicing.cells import WHOLE

Mask = frames.Mask
# From this many contacts on a wave tells whether its groups answered alike.
_WAVE = 100
_HALF = 0.5
_LISTED = 50
_YEAR = timedelta(days=365)
_TENURES = ((1, "<1"), (3, "1-3"), (5, "3-5"), (10, "5-10"), (10**4, ">10"))


@dataclass(frozen=True)
class Group:
    """One group of clients: how many of those asked answered."""

    key: str
    rate: Figure


@dataclass(frozen=True)
class Factor:
    """A weighting class by line and size: eligible, answered, and what an answer stands for."""

    segment: str
    size: str
    eligible: int
    answered: int
    factor: float | None


@dataclass(frozen=True)
class Quiet:
    """A client that has said nothing for twelve months, and what is committed to it."""

    client: Client
    exposure: float


@dataclass(frozen=True)
class Silence:
    """The reports that stand beside a response rate."""

    by: dict[str, list[Group]]
    earlier_silent: Figure
    earlier_heard: Figure
    bias: float | None
    early: Figure
    late: Figure
    factors: list[Factor]
    raw: Figure
    weighted: Figure
    r_indicator: float | None
    bounds: Interval | None
    quiet: list[Quiet]
    currency: str


@dataclass(frozen=True)
class _Read:
    """What the reports are made from."""

    ask: Ask
    at: datetime
    frame: Frame
    members: Mask
    asked: Table
    now: Table
    before: Table
    nps: Figure


def report(ask: Ask, *, viewer: User, at: datetime) -> Silence:
    """Every report on the silence of one wave or period, for what the filters leave."""
    plain = replace(ask, group_by="", metrics=("nps",))
    found = _read(plain, at)
    heard, silent = _sides(found)
    early, late = _timing(found)
    factors, weighted = _weights(found)
    before = [_earlier(found, ids) for ids in (silent, heard)]
    quiet, currency = _quiet(viewer, at)
    return Silence(
        by={name: _rates(found, keys) for name, keys in _classes(found).items()},
        earlier_silent=before[0],
        earlier_heard=before[1],
        bias=_bias(found, before),
        early=early,
        late=late,
        factors=factors,
        raw=found.nps,
        weighted=weighted,
        r_indicator=_r(found),
        bounds=_bounds(found),
        quiet=quiet,
        currency=currency,
    )


def _read(ask: Ask, at: datetime) -> _Read:
    where, frame = cells.where_of(ask.filters), frames.frame()
    window = ask.span.bounds
    # The last answers of the year before are those of the last wave that reached each client.
    first = min(max(window.start, at - 10 * _YEAR), at)
    windows = [window, Bounds(first - _YEAR, first)]
    held = cells.cuts(ask, windows, where=where, frame=frame)
    asked = cells.of_requests(ask, window, where=where, frame=frame).cells[WHOLE].table
    sources = computing.read(ask, where=where, frame=frame, at=at)
    return _Read(
        ask,
        at,
        frame,
        frame.within(where),
        asked,
        held[0].cells[WHOLE].table,
        held[1].cells[WHOLE].table,
        computing.measured(sources)[WHOLE]["nps"],
    )


def _sides(found: _Read) -> tuple[Ids, Ids]:
    """The clients that were asked and answered, and those that did not."""
    usable = found.asked["i"] + found.asked["p"] > 0
    invited = found.asked["asked"] > 0
    return found.asked.ids[invited & usable], found.asked.ids[invited & ~usable]


def _classes(found: _Read) -> dict[str, list[tuple[str, Mask]]]:
    """Clients by line, size, rating grade and tenure; who is not classed is left out."""
    frame = found.frame
    held = {
        name: [(str(v), frame.values[name] == v) for v in np.unique(frame.values[name]) if v]
        for name in ("segment", "size")
    }
    grades = np.array([str(value).rstrip("+-") for value in frame.values["rating"]], dtype=np.str_)
    held["rating"] = [(str(v), grades == v) for v in sorted(set(grades.tolist())) if v]
    return held | {"tenure": _tenures(found)}


def _tenures(found: _Read) -> list[tuple[str, Mask]]:
    today = periods.local_date(found.at, settings.TIME_ZONE).toordinal()
    known = found.frame.since > 0
    years = (today - found.frame.since) / 365.25
    made, low = [], 0
    for high, name in _TENURES:
        mask = known & (years >= low) & (years < high)
        if mask.any():
            made.append((name, mask))
        low = high
    return made


def _rates(found: _Read, keys: Iterable[tuple[str, Mask]]) -> list[Group]:
    """The response rate of each class, after the gate for the family."""
    made = [(key, _rate(found, mask)) for key, mask in keys]
    whole = _rate(found, np.ones(len(found.frame.ids), dtype=bool))
    shown = gating.family([rate for _key, rate in made], whole)
    return [Group(key, rate) for (key, _old), rate in zip(made, shown, strict=True)]


def _rate(found: _Read, mask: Mask) -> Figure:
    held = found.asked.of(found.frame.ids[mask])
    return _figure(found, "response_rate", Given(requests=held))


def _figure(found: _Read, metric: str, given: Given) -> Figure:
    """One metric of what is given, after the thresholds."""
    empty = replace(found.nps, metric=metric, n=0, clients=0, eligible=None)
    blank = concealed(empty, "NO_DATA")
    for indicator, reading in indicators.read(given):
        if indicator.metric == metric:
            gate = " ".join(reading.decide().reasons)
            fig = replace(
                blank,
                value=reading.value,
                low=reading.low,
                high=reading.high,
                n=reading.n,
                clients=reading.clients,
                eligible=reading.eligible,
                method=indicator.method,
                version=indicator.version,
                detail=reading.detail,
                gate=gate,
            )
            return concealed(fig, gate) if gate else fig
    return blank


def _earlier(found: _Read, ids: Ids) -> Figure:
    """What these clients said in the period before; withheld where nearly all of it is theirs."""
    fig = _figure(found, "nps", Given(answers=found.before.of(ids), eligible=ids))
    rest = found.before.count("n") - fig.n
    near = 0 < rest < gating.LEAST
    return concealed(fig, gating.DIFFERENCING) if near and not fig.gate else fig


def _bias(found: _Read, before: Sequence[Figure]) -> float | None:
    """By how much those who answered may flatter the figure (6.3)."""
    asked = int((found.asked["asked"] > 0).sum())
    heard = int((found.asked["i"] + found.asked["p"] > 0).sum())
    rate = heard / asked if asked else None
    return responding.nonresponse_bias(rate, before[1].value, before[0].value)


def _timing(found: _Read) -> tuple[Figure, Figure]:
    """Answers that came of themselves against those that needed a reminder."""
    where = cells.where_of(found.ask.filters)
    held = timing.by_reminder(found.ask.span.bounds, found.ask.population, where)
    made = [_counted(found, *held.get(late, (Counts(0, 0, 0), 0))) for late in (False, True)]
    total = _counted(
        found,
        Counts(*(sum(getattr(c, n) for c, _k in held.values()) for n in "dsp")),
        sum(clients for _counts, clients in held.values()),
    )
    early, late = gating.family(made, total)
    return early, late


def _counted(found: _Read, counts: Counts, clients: int) -> Figure:
    """NPS by answer from counts."""
    empty = replace(found.nps, metric="nps_respondent", eligible=None)
    verdict = uncertainty.report_gate(uncertainty.Base(counts.n, clients))
    ends = uncertainty.adjusted_wald(counts)
    if not verdict.show or ends is None:
        gate = " ".join(verdict.reasons)
        return concealed(replace(empty, n=counts.n, clients=clients), gate)
    return replace(
        empty,
        value=100 * (counts.p - counts.d) / counts.n,
        low=ends.low,
        high=ends.high,
        n=counts.n,
        clients=clients,
        gate="",
        detail={"detractors": counts.d, "passives": counts.s, "promoters": counts.p},
    )


def _weights(found: _Read) -> tuple[list[Factor], Figure]:
    """Weighting classes of line and size, and the figure with their factors (6.3-6.5 d)."""
    frame = found.frame
    votes = columns.labels(found.now["weighted"], found.now["weight"])
    answered = np.isin(frame.ids, found.now.ids[~np.isnan(votes)])
    members = found.members & (frame.active | answered)
    names = [
        (str(s), str(z))
        for s in np.unique(frame.values["segment"])
        for z in np.unique(frame.values["size"])
    ]
    masks = [
        members & (frame.values["segment"] == s) & (frame.values["size"] == z) for s, z in names
    ]
    kept = [(name, mask) for name, mask in zip(names, masks, strict=True) if mask.any()]
    held = [Cell(int(mask.sum()), int((mask & answered).sum())) for _name, mask in kept]
    factors = responding.weighting_factors(held)
    weight = np.zeros(len(frame.ids))
    for (_name, mask), factor in zip(kept, factors, strict=True):
        weight[mask] = factor or 0.0
    made = [
        Factor(s, z, int(cell.eligible), int(cell.responded), factor)
        for ((s, z), _mask), cell, factor in zip(kept, held, factors, strict=True)
    ]
    places = np.searchsorted(frame.ids, found.now.ids)
    return made, _weighted(found, votes, weight[places])


def _weighted(found: _Read, votes: columns.Column, weights: columns.Column) -> Figure:
    """The figure by client with these weights, after the gate for weighted figures."""
    estimate = columns.label_nps(votes, weights)
    if found.nps.gate or estimate is None:
        return found.nps
    used = np.where(np.isnan(votes), 0.0, weights)
    base = uncertainty.Base(
        found.nps.n,
        found.nps.clients,
        n_eff=float(used.sum() ** 2 / (used * used).sum()),
        max_weight_share=float(used.max() / used.sum()),
    )
    verdict = uncertainty.report_gate(base)
    if not verdict.show:
        return concealed(found.nps, " ".join(verdict.reasons))
    ends = estimate.ci
    return replace(
        found.nps,
        value=estimate.nps,
        low=ends.low if ends else None,
        high=ends.high if ends else None,
        method="adj_wald_eff",
        detail={},
    )


def _r(found: _Read) -> float | None:
    """Whether groups of line and size answered alike, over the contacts asked (6.5)."""
    asked, done = found.asked["asked"], found.asked["i"] + found.asked["p"]
    if asked.sum() < _WAVE:
        return None
    places = np.searchsorted(found.frame.ids, found.asked.ids)
    keys = np.char.add(
        np.char.add(found.frame.values["segment"][places], "/"),
        found.frame.values["size"][places],
    )
    rho: list[float] = []
    for key in np.unique(keys):
        of = keys == key
        if asked[of].sum():
            rho += [float(done[of].sum() / asked[of].sum())] * int(asked[of].sum())
    return responding.r_indicator(rho)


def _bounds(found: _Read) -> Interval | None:
    """Whatever the silent ones think, where fewer than half answered (3.11)."""
    fig = found.nps
    counts = [fig.detail.get(name) for name in ("detractor", "passive", "promoter")]
    if fig.gate or fig.coverage is None or fig.coverage >= _HALF or None in counts:
        return None
    votes = Counts(*(int(count or 0) for count in counts))
    return uncertainty.worst_case(votes, eligible=fig.eligible or votes.n)


def _quiet(viewer: User, at: datetime) -> tuple[list[Quiet], str]:
    """The viewer's clients that said nothing for twelve months, the largest exposure first."""
    mine = {c.pk: c for c in Client.objects.visible_to(viewer).filter(status="active")}
    ids = np.array(sorted(mine), dtype=np.int64)
    window = periods.parse("rolling12m", as_of=at, zone=settings.TIME_ZONE)
    spoken = {
        int(pk)
        for table in answers.many([window], Asked(clients=ids.tolist())).values()
        for pk in table.ids
    }
    day = periods.local_date(at, settings.TIME_ZONE)
    stake = exposure.at([day], clients=ids.tolist())[day]
    amounts = dict(zip(ids.tolist(), stake.of(ids).tolist(), strict=True))
    left = [pk for pk in amounts if pk not in spoken and amounts[pk] > 0]
    left.sort(key=lambda pk: (-amounts[pk], mine[pk].code))
    return [Quiet(mine[pk], amounts[pk]) for pk in left[:_LISTED]], stake.currency
