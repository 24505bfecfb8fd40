"""Prints a figure with what a reader must know of it: base, interval, method, gate."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from metrics import wording
from metrics.comparing import Change
from metrics.queries import Figure

register = template.Library()


@register.simple_tag
def figure(fig: Figure, *, link: bool = False) -> SafeString:
    """A figure as text with its machine-readable attributes; withheld, the base alone.

    With `link` it leads to the page that says how it is made.
    """
    text = format_html(
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
    if not link:
        return text
    return format_html('<a class="fig" href="{}">{}</a>', wording.made_url(fig), text)


@register.simple_tag
def made(fig: Figure) -> SafeString:
    """A link to the page that says how this figure is made."""
    return format_html(
        '<a class="xs lk-made" href="{}">{}</a>',
        wording.made_url(fig),
        _("How is this figure made?"),
    )


@register.filter
def reason(fig: Figure) -> str:
    """Why a figure is withheld, in words."""
    return wording.why(fig.gate)


@register.filter
def spread(fig: Figure) -> str:
    """The interval of a figure in its unit; empty where it has none."""
    return "" if fig.low is None or fig.high is None else wording.ends(fig)


@register.filter
def verdict(change: Change | None) -> str:
    """What may be said of a change: changed, not distinguishable, or why nothing."""
    return "" if change is None else wording.verdict(change.verdict, change.reason)


@register.filter
def difference(change: Change | None) -> str:
    """A difference with its sign, in the unit of its metric."""
    if change is None or change.diff is None:
        return ""
    return wording.unit(change.metric).change(change.diff)


def _plain(number: float | None) -> str:
    """A number as machines read it: a point, at most ten digits behind it, no exponent."""
    return "" if number is None else f"{number:.10f}".rstrip("0").rstrip(".")
