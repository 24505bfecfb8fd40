"""What is told of a figure since the period before: the difference, its test, and the word."""

from dataclasses import dataclass

from metrics.comparing.testing import Test
from metrics.formulas import comparing as formulas
from metrics.queries import Figure

CHANGED, NOT_DISTINGUISHABLE = "changed", "not_distinguishable"
RUNNING, SERIES_BREAK, WITHHELD, NO_DATA = "RUNNING", "SERIES_BREAK", "WITHHELD", "NO_DATA"
NO_TEST = "NO_TEST"
# Two rolling figures that share days are never tested against each other (13.2).
OVERLAP = "OVERLAP"


@dataclass(frozen=True)
class Change:
    """The figure less that of the period before, in the unit of the metric.

    With a `reason` nothing may be said: the period is running, the series broke, one of the two
    is withheld or empty, or there is no interval to test by.
    """

    metric: str
    before: Figure | None
    diff: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    verdict: str = ""
    reason: str = ""
    method: str = ""

    @property
    def up(self) -> bool | None:
        """Whether it rose; null where it did not move or is not known."""
        return None if not self.diff else self.diff > 0


def made(
    now: Figure,
    earlier: Figure | None,
    reason: str,
    test: Test | None,
    verdict: formulas.Verdict | None,
) -> Change:
    """The change of one figure, with the verdict of its family."""
    if reason or test is None or verdict is None:
        return Change(
            now.metric, earlier, reason=reason or NO_TEST, diff=_plain(now, earlier, reason)
        )
    tested = test.p_value is not None
    changed = verdict.word == "changed"
    return Change(
        now.metric,
        earlier,
        now.value - earlier.value
        if earlier and now.value is not None and earlier.value is not None
        else test.diff,
        test.low,
        test.high,
        test.p_value,
        verdict.p_adjusted,
        (CHANGED if changed else NOT_DISTINGUISHABLE) if tested else "",
        "" if tested else NO_TEST,
        test.method,
    )


def _plain(now: Figure, earlier: Figure | None, reason: str) -> float | None:
    """A difference without a test; none across a break or against a part of a period."""
    if reason in {SERIES_BREAK, RUNNING, OVERLAP} or earlier is None:
        return None
    return None if now.value is None or earlier.value is None else now.value - earlier.value
