"""Prints a figure with what a reader must know of it: base, interval, method, gate."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from metrics import wording
from metrics.queries import Figure

register = template.Library()


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
        wording.written(fig),
    )


def _plain(number: float | None) -> str:
    """A number as machines read it: a point, at most ten digits behind it, no exponent."""
    return "" if number is None else f"{number:.10f}".rstrip("0").rstrip(".")
