"""Several tests on one screen, corrected together, and the word they earn (3.7, 3.10)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from metrics.formulas.parameters import DEFAULT

VERSION = 1

Word = Literal["changed", "not distinguishable"]

_RULES = DEFAULT.comparing


class Tested(Protocol):
    """Any result of a test."""

    @property
    def p_value(self) -> float | None:
        """Return the p-value, 0..1; null where nothing could be tested."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One test of a family: its p-value, the corrected one, and the word to say.

    The word is never "unchanged": a difference that is not seen may be there.
    """

    p_value: float | None
    p_adjusted: float | None
    word: Word


def p_adjust(
    pvals: Sequence[float | None], *, method: str = _RULES.correction
) -> list[float | None]:
    """Return the corrected p-values in the order given, each 0..1 and not below its own.

    holm (default), bonferroni, bh (Benjamini-Hochberg), none. Null stays null and does not
    count as a test. ValueError for another method or a value outside 0..1. Source:
    metrics-spec 3.10.
    """
    if method not in _STEPS:
        raise ValueError(f"unknown correction {method!r}")
    if any(p is not None and not 0 <= p <= 1 for p in pvals):
        raise ValueError("a p-value must lie in 0..1")
    ranked = sorted((p, i) for i, p in enumerate(pvals) if p is not None)
    found: list[float | None] = [None] * len(pvals)
    corrected = _STEPS[method]([p for p, _ in ranked])
    for (p, i), value in zip(ranked, corrected, strict=True):
        found[i] = min(1.0, max(p, value))
    return found


def _holm(rising: list[float]) -> list[float]:
    largest, found = 0.0, []
    for i, p in enumerate(rising):
        largest = max(largest, (len(rising) - i) * p)
        found.append(largest)
    return found


def _benjamini_hochberg(rising: list[float]) -> list[float]:
    smallest, found = 1.0, []
    for i in range(len(rising), 0, -1):
        smallest = min(smallest, len(rising) / i * rising[i - 1])
        found.append(smallest)
    return found[::-1]


_STEPS: Mapping[str, Callable[[list[float]], list[float]]] = {
    "holm": _holm,
    "bonferroni": lambda rising: [len(rising) * p for p in rising],
    "bh": _benjamini_hochberg,
    "none": lambda rising: rising,
}


def family(
    tests: Sequence[Tested | None],
    *,
    alpha: float = _RULES.alpha,
    method: str = _RULES.correction,
) -> list[Verdict]:
    """Return the verdicts of all tests displayed together (same filter, same period).

    A corrected p-value below alpha is "changed", all else "not distinguishable"; null stands
    for a test that could not be made. ValueError as in `p_adjust`. Source: metrics-spec 3.7,
    3.10.
    """
    pvals = [None if test is None else test.p_value for test in tests]
    return [
        Verdict(p, adjusted, "changed" if _below(adjusted, alpha) else "not distinguishable")
        for p, adjusted in zip(pvals, p_adjust(pvals, method=method), strict=True)
    ]


def _below(p: float | None, alpha: float) -> bool:
    return p is not None and p < alpha
