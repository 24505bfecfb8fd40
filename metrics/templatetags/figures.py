"""Prints a figure with what a reader must know of it: base, interval, method, gate."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from bank import formats
from metrics.queries import Figure

register = template.Library()

_LABELS = {
    "promoter": lambda: gettext("Promoter"),
    "passive": lambda: gettext("Passive"),
    "detractor": lambda: gettext("Detractor"),
}


@register.simple_tag
def figure(fig: Figure) -> SafeString:
    """A figure as text with its machine-readable attributes; withheld, the base alone."""
    return format_html(
        '<data class="figure" value="{}" data-metric="{}" data-n="{}" data-clients="{}" '
        'data-low="{}" data-high="{}" data-method="{}" data-version="{}" data-gate="{}" '
        'data-flags="{}">{}</data>',
        _plain(fig.value) or fig.label,
        fig.metric,
        fig.n,
        fig.clients,
        _plain(fig.low),
        _plain(fig.high),
        fig.method,
        "" if fig.version is None else fig.version,
        fig.gate,
        fig.flags,
        text(fig),
    )


def text(fig: Figure) -> str:
    """The figure in the unit of its metric and the active language."""
    if not fig.shown:
        return formats.sample(fig.n) if fig.n else formats.missing()
    if fig.metric == "client_label":
        return _LABELS[fig.label]()
    if fig.value is None:
        return formats.missing()
    if fig.metric.startswith("nps"):
        return formats.points(fig.value)
    if fig.metric in {"recommend_mean", "csat"}:
        return formats.number(fig.value, 1)
    return formats.share(fig.value)


def _plain(number: float | None) -> str:
    """A number as machines read it: shortest text, at most ten digits behind the point."""
    return "" if number is None else f"{number:.10f}".rstrip("0").rstrip(".")
