"""What may be shown at all: the display gate, complementary cells, differencing (3.12)."""

from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from metrics.formulas.parameters import DEFAULT, Gate

VERSION = 1

NO_DATA = "NO_DATA"
MIN_RESPONSES = "MIN_RESPONSES"
MIN_CLIENTS = "MIN_CLIENTS"
DOMINANCE = "DOMINANCE"
LOW_EFFECTIVE_N = "LOW_EFFECTIVE_N"
WEIGHT_DOMINANCE = "WEIGHT_DOMINANCE"
LOW_BASE = "LOW_BASE"


@dataclass(frozen=True, slots=True)
class Base:
    """What a figure stands on: counts, and shares 0..1; null means the rule does not apply.

    `one_client`: the figure is of a single client, who is the unit. `census`: all N answered.
    """

    n_resp: int
    n_clients: int
    max_client_share: float | None = None
    n_eff: float | None = None
    max_weight_share: float | None = None
    one_client: bool = False
    census: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to show, the reason codes of a refusal and the flags of a figure that is shown.

    Both lists are in alphabetical order; flags are empty when the figure is withheld.
    """

    show: bool
    reasons: tuple[str, ...]
    flags: tuple[str, ...]


def report_gate(base: Base, *, rules: Gate = DEFAULT.gate) -> Decision:
    """Return whether a figure may leave the server, evaluated before it does.

    NO_DATA alone without answers; else every reason that holds. LOW_BASE marks a figure shown
    over fewer than `low_base` clients, except a census (3.4). Source: metrics-spec 3.12.
    """
    if base.n_resp <= 0:
        return Decision(show=False, reasons=(NO_DATA,), flags=())
    reasons = tuple(sorted(_unit_reasons(base, rules) + _weight_reasons(base, rules)))
    low = not reasons and base.n_clients < rules.low_base and not base.census
    return Decision(show=not reasons, reasons=reasons, flags=(LOW_BASE,) if low else ())


def _unit_reasons(base: Base, rules: Gate) -> list[str]:
    reasons = []
    if base.n_resp < rules.min_resp:
        reasons.append(MIN_RESPONSES)
    if base.n_clients < rules.min_clients and not base.one_client:
        reasons.append(MIN_CLIENTS)
    if _above(base.max_client_share, rules.dom_share) and not base.one_client:
        reasons.append(DOMINANCE)
    return reasons


def _weight_reasons(base: Base, rules: Gate) -> list[str]:
    reasons = []
    if base.n_eff is not None and base.n_eff < rules.min_n_eff:
        reasons.append(LOW_EFFECTIVE_N)
    if _above(base.max_weight_share, rules.dom_share):
        reasons.append(WEIGHT_DOMINANCE)
    return reasons


def _above(share: float | None, limit: float) -> bool:
    return share is not None and share > limit


def complementary_suppression(
    counts: Sequence[int], *, threshold: int = DEFAULT.gate.min_resp
) -> list[int]:
    """Return the positions of the cells to withhold under a published total, rising.

    Every non-empty cell below the threshold goes. While only one cell is withheld, or the
    withheld ones together hold fewer than the threshold, the smallest other non-empty cell
    goes too (on a tie the earlier one). Source: metrics-spec 3.12.
    """
    withheld = {i for i, count in enumerate(counts) if 0 < count < threshold}
    others = sorted(
        (i for i, count in enumerate(counts) if count >= threshold and count > 0),
        key=lambda i: (counts[i], i),
    )
    for i in others if withheld else ():
        if len(withheld) > 1 and sum(counts[j] for j in withheld) >= threshold:
            break
        withheld.add(i)
    return sorted(withheld)


def differs_enough(
    before: AbstractSet[Hashable],
    now: AbstractSet[Hashable],
    *,
    threshold: int = DEFAULT.gate.min_resp,
) -> bool:
    """Return whether a filter may be shown after another: equal, or apart by >= 5 answers.

    The sets hold ids of answers. Source: metrics-spec 3.12 (differencing).
    """
    return before == now or len(before ^ now) >= threshold
