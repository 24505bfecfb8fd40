"""Two sides in turn, the median of their ratios, and the one line that tells it."""

import gc
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

NOISE = 0.3
Side = Callable[[], float]


@dataclass(frozen=True)
class Goal:
    """What a ratio must reach: `at_least` it, or at most."""

    code: str
    bound: float
    at_least: bool = True

    def holds(self, value: float) -> bool:
        """Whether a median is good enough."""
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True)
class Line:
    """One measured goal. `faults` are conditions beside the ratio that did not hold."""

    goal: Goal
    ratios: list[float]
    told: str
    faults: list[str] = field(default_factory=list)

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str:
        """`ok`, `noisy` where the rounds differ too much to be sure, or `missed`."""
        if self.faults or not self.goal.holds(self.value):
            return "missed"
        spread = max(abs(one / self.value - 1) for one in self.ratios) if self.value else 0
        return "noisy" if spread > NOISE else "ok"

    def __str__(self) -> str:
        low, high = min(self.ratios), max(self.ratios)
        sign = ">=" if self.goal.at_least else "<="
        told = "; ".join([self.told, *self.faults])
        figures = f"{_short(self.value)} ({_short(low)}-{_short(high)})"
        goal = f"goal {sign}{_short(self.goal.bound)}"
        return f"{self.goal.code:<3} {figures:<22} {goal:<11}  {self.verdict:<6}  {told}"

    def keep(self, path: Path, *, scale: float, at: str) -> None:
        """Add the line to the history of runs."""
        row = asdict(self.goal) | {
            "at": at,
            "scale": scale,
            "median": self.value,
            "ratios": self.ratios,
            "verdict": self.verdict,
            "told": self.told,
            "faults": self.faults,
        }
        with path.open("a", encoding="utf-8") as history:
            history.write(json.dumps(row, ensure_ascii=False) + "\n")


def in_turn(ours: Side, theirs: Side, *, rounds: int) -> tuple[list[float], list[float]]:
    """Run both sides alternately, once unmeasured before; each returns what it measured."""
    ours()
    theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def seconds(work: Callable[[], object], *, times: int = 1) -> float:
    """How long one call takes on average; the rubbish of others is swept up before."""
    gc.collect()
    begun = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - begun) / times


def _short(number: float) -> str:
    return f"{number:.2f}" if number < 10 else f"{number:.1f}" if number < 100 else f"{number:.0f}"
