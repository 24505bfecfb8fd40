"""What is written for a figure: value, interval and month, in the unit of its metric."""

from django.utils.translation import gettext as _

from bank import formats
from bank.models import in_language
from metrics.queries import Figure

_PLAIN = frozenset({"recommend_mean", "csat"})


def written(fig: Figure) -> str:
    """The figure in the unit of its metric; withheld, the size of its base alone."""
    if not fig.shown:
        return formats.sample(fig.n) if fig.n else formats.missing()
    if fig.metric == "client_label":
        return _label(fig.label)
    if fig.metric.startswith("nps"):
        return formats.points(fig.value)
    return formats.number(fig.value, 1) if fig.metric in _PLAIN else formats.share(fig.value)


def ends(fig: Figure) -> str:
    """The interval of a figure in its unit; the mark for missing where there is none."""
    if fig.metric.startswith("nps"):
        return formats.interval(fig.low, fig.high)
    if fig.metric in _PLAIN:
        return formats.number_interval(fig.low, fig.high)
    return formats.share_interval(fig.low, fig.high)


def month(period: str) -> str:
    """The last month of a period key such as `rolling3m:2026-10`, short."""
    number = int(period[-2:])
    return in_language(f"{number} 月", formats.MONTHS[number - 1])


def group(kind: str) -> str:
    """The name of a group of scores: d, n or p."""
    return {"d": _("Detractors"), "n": _("Passives"), "p": _("Promoters")}[kind]


def _label(label: str) -> str:
    names = {"detractor": _("Detractor"), "passive": _("Passive"), "promoter": _("Promoter")}
    return names.get(label, formats.missing())
