"""Whether parts differ from each other: all at once first, pairs only then (3.9, 3.10)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from scipy import special

from bank.models import Team
from metrics.comparing import testing
from metrics.formulas import comparing as formulas
from metrics.formulas.parameters import DEFAULT
from metrics.formulas.uncertainty import quantiles
from metrics.queries import Figure

_Z = quantiles.z(DEFAULT.intervals.conf)
_ALPHA = DEFAULT.comparing.alpha


@dataclass(frozen=True)
class Pair:
    """Two parts by their position: the second minus the first, corrected with all pairs shown."""

    one: int
    other: int
    diff: float
    low: float | None
    high: float | None
    p_value: float | None
    p_adjusted: float | None
    differs: bool


@dataclass(frozen=True)
class Apart:
    """The test of all parts being one, and the pairs, which are only tested if it fails.

    Two parts are one pair: there the pair is the test.
    """

    q: float | None
    df: int
    p_value: float | None
    pairs: list[Pair]

    @property
    def differs(self) -> bool:
        """Whether any pair differs, so that an order may be spoken of at all."""
        return any(pair.differs for pair in self.pairs)


def apart(figures: Sequence[Figure]) -> Apart | None:
    """Test the parts shown against each other; null where fewer than two have an interval."""
    kept = [place for place, fig in enumerate(figures) if testing.half(fig)]
    if len(kept) < 2:
        return None
    q, p = _homogeneity([figures[place] for place in kept])
    only_pair = len(kept) == 2
    pairs = _pairs(figures, kept) if only_pair or (p is not None and p < _ALPHA) else []
    return Apart(None if only_pair else q, len(kept) - 1, None if only_pair else p, pairs)


def _homogeneity(figures: Sequence[Figure]) -> tuple[float | None, float | None]:
    """Q = sum w (e - e_w)^2 with w = 1/v, from counts where there are some."""
    counts = [testing.counts(fig) for fig in figures]
    if figures[0].metric.startswith("nps") and all(counts):
        found = formulas.nps_homogeneity([count for count in counts if count])
        return (found.q, found.p_value) if found else (None, None)
    parts = [(_centre(fig), (testing.half(fig) or 0) / _Z) for fig in figures]
    weights = [1 / se**2 for _e, se in parts]
    pooled = sum(w * e for w, (e, _se) in zip(weights, parts, strict=True)) / sum(weights)
    q = sum(w * (e - pooled) ** 2 for w, (e, _se) in zip(weights, parts, strict=True))
    return q, float(special.chdtrc(len(parts) - 1, q))


def _centre(fig: Figure) -> float:
    return ((fig.low or 0) + (fig.high or 0)) / 2


def _pairs(figures: Sequence[Figure], kept: Sequence[int]) -> list[Pair]:
    tests = {
        pair: testing.apart(figures[pair[0]], figures[pair[1]]) for pair in combinations(kept, 2)
    }
    made = {pair: test for pair, test in tests.items() if test is not None}
    verdicts = formulas.family(list(made.values()))
    return [
        Pair(
            one,
            other,
            test.diff,
            test.low,
            test.high,
            test.p_value,
            verdict.p_adjusted,
            verdict.word == "changed",
        )
        for ((one, other), test), verdict in zip(made.items(), verdicts, strict=True)
    ]


def beside_each_other(teams: Sequence[int]) -> list[int]:
    """Of these teams those that hold none of the others: only they can be compared."""
    parents: Mapping[int, int | None] = dict(Team.objects.values_list("pk", "parent_id"))
    above: set[int] = set()
    for team in teams:
        step, seen = parents.get(team), {team}
        while step is not None and step not in seen:
            seen.add(step)
            above.add(step)
            step = parents.get(step)
    return [team for team in teams if team not in above]
