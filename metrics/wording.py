"""What is written for a figure: value and interval in the unit of its metric, and why not."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from bank import formats
from metrics.queries import ENGAGEMENT, Figure

_RATES = frozenset({"response_rate", "client_response_rate", "coverage_exposure"})
_PLAIN = frozenset(
    {"csat", "ces", "recommend_mean", *ENGAGEMENT, "health", "client_score", "credit_score"}
)


class Unit(NamedTuple):
    """How values, intervals and differences of a metric are written, and its widest axis."""

    value: Callable[..., str]
    interval: Callable[..., str]
    change: Callable[..., str]
    axis: tuple[float, float]
    step: float


_POINTS = Unit(formats.points, formats.interval, formats.points, (-100, 100), 20)
_SHARE = Unit(formats.share, formats.share_interval, formats.share_change, (0, 1), 0.2)


def unit(metric: str) -> Unit:
    """The unit of a metric: points, a plain number, money or a share."""
    if metric.startswith("nps"):
        return _POINTS
    if metric in _PLAIN:
        top, step = {"ces": (7, 1), "recommend_mean": (10, 2)}.get(metric, (100, 20))
        return Unit(_one_digit, formats.number_interval, formats.points, (0, top), step)
    return _SHARE


def written(fig: Figure) -> str:
    """The figure in the unit of its metric; withheld, the size of its base alone."""
    if not fig.shown:
        return formats.sample(fig.n) if fig.n else formats.missing()
    return _label(fig.label) if fig.metric == "client_label" else unit(fig.metric).value(fig.value)


def ends(fig: Figure) -> str:
    """The interval of a figure in its unit; the mark for missing where there is none."""
    return unit(fig.metric).interval(fig.low, fig.high)


def why(gate: str) -> str:
    """Why a figure is withheld, in words; several reasons at once read as the first."""
    first = gate.split()[0] if gate else ""
    return _reasons().get(first, _("withheld") if first else "")


def made_url(fig: Figure) -> str:
    """Where it is said how this figure is made."""
    query = {
        "scope": fig.scope,
        "id": fig.scope_id,
        "slice": fig.slice,
        "period": fig.period,
        "population": fig.population,
    }
    kept = {name: value for name, value in query.items() if value}
    return f"{reverse('metrics:made', args=[fig.metric])}?{urlencode(kept)}"


def _reasons() -> dict[str, str]:
    return {
        "NO_DATA": _("no answers in this period"),
        "MIN_RESPONSES": _("withheld: fewer than 5 answers"),
        "MIN_CLIENTS": _("withheld: fewer than 5 clients"),
        "DOMINANCE": _("withheld: one client gives most of the answers"),
        "COMPLEMENTARY": _("withheld: other figures would give it away"),
        "DIFFERENCING": _(
            "withheld: it differs from a figure shown before by fewer than 5 answers"
        ),
        "LOW_EFFECTIVE_N": _("withheld: the weighted base is too small"),
        "WEIGHT_DOMINANCE": _("withheld: one weight outweighs the others"),
        "NO_REFERENCE": _("no frozen reference to measure against"),
        "NOT_OF_ONE_CLIENT": _("a vote among clients; one client has its mean and its label"),
        "NOT_OF_ANSWERS": _("this belongs to clients and cannot be cut by what only answers have"),
        "NO_CONTRACT": _("no online banking contract"),
        "LOG_OUTAGE": _("the log was away for most of the time"),
        "ZERO_EXPOSURE": _("nothing is lent to those who answered"),
        "LOW_COVERAGE": _("too few components are known"),
        "ALPHA_LOW": _("the dimensions do not hang together; see them one by one"),
    }


def verdict(word: str, reason: str) -> str:
    """What may be said of a difference; never that nothing changed."""
    said = {
        "changed": _("changed"),
        "not_distinguishable": _("not distinguishable"),
        "RUNNING": _("to date: not compared"),
        "SERIES_BREAK": _("series break: not compared"),
        "OVERLAP": _("shares days with the period before: not compared"),
        "WITHHELD": _("not compared: one of the two is withheld"),
        "NO_DATA": _("nothing to compare with"),
        "NO_TEST": _("not tested"),
    }
    return said.get(word) or said.get(reason, "")


def ranking(differs: bool | None) -> str:  # noqa: FBT001 - the answer of one test
    """The sentence under parts of which no pair differs; empty where some do."""
    if differs is None or differs:
        return ""
    return _("The present sample does not support ranking them.")


def _one_digit(value: float | None) -> str:
    return formats.number(value, 1)


def _label(label: str) -> str:
    names = {"detractor": _("Detractor"), "passive": _("Passive"), "promoter": _("Promoter")}
    return names.get(label, formats.missing())
