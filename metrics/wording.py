"""What is written for a figure: value and interval, in the unit of its metric."""

from django.utils.translation import gettext as _

from bank import formats
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


def _label(label: str) -> str:
    names = {"detractor": _("Detractor"), "passive": _("Passive"), "promoter": _("Promoter")}
    return names.get(label, formats.missing())
