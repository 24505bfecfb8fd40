"""What makes a value impossible as a rule, said in one sentence (metrics-spec 8.7, 15)."""

import math
from collections.abc import Collection, Iterable
from itertools import pairwise


def weights(
    given: Iterable[tuple[str, float]], *, of: str, known: Collection[str] | None = None
) -> dict[str, float]:
    """Return the weights by component: 0 and up, with the sum 1 within 1e-9.

    `of` says what they weigh, `known` which components there are (null: any). ValueError for
    a component that is unknown or named twice, a weight that is negative or not a number, and
    another sum. Source: metrics-spec 8.7.
    """
    pairs = list(given)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"the weights of {of} name a component twice")
    for name, weight in found.items():
        if known is not None and name not in known:
            raise ValueError(f"the weights of {of} name an unknown component {name!r}")
        if not math.isfinite(weight) or weight < 0:
            raise ValueError(f"the weight of {name!r} in {of} must be 0 or more")
    total = math.fsum(found.values())
    if abs(total - 1) > 1e-9:
        raise ValueError(f"the weights of {of} must sum to 1, not to {total:.10g}")
    return found


def share(value: float, what: str) -> None:
    """Refuse what does not lie in 0..1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{what} must lie in 0..1, not {value:g}")


def inner_share(value: float, what: str) -> None:
    """Refuse what does not lie strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{what} must lie strictly between 0 and 1, not {value:g}")


def at_least(value: float, least: float, what: str) -> None:
    """Refuse what is lower than the least, infinite or not a number."""
    if not least <= value < math.inf:
        raise ValueError(f"{what} must be at least {least:g}, not {value:g}")


def positive(value: float, what: str) -> None:
    """Refuse what is not above 0, infinite or not a number."""
    if not 0 < value < math.inf:
        raise ValueError(f"{what} must be above 0, not {value:g}")


def rising(values: Iterable[float], what: str) -> None:
    """Refuse steps of which one is not above the one before."""
    steps = list(values)
    if any(not low < high for low, high in pairwise(steps)):
        raise ValueError(f"{what} must rise: {', '.join(f'{step:g}' for step in steps)}")
