"""Three sentences above the figures, each no stronger than its sample allows."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from bank import formats
from cxportal.queries.heatmap import Map, Row
from metrics import wording
from metrics.comparing import Change
from metrics.queries import Figure


@dataclass(frozen=True)
class Highlight:
    """One sentence with its mark."""

    icon: str
    tone: str
    words: SafeString


def of(
    figures: Mapping[str, Figure], changes: Mapping[str, Change], heat: Map | None
) -> list[Highlight]:
    """What changed, where it is weakest, and how much has not spoken."""
    return [_changed(figures["nps"], changes.get("nps")), _weakest(heat), _silent(figures)]


def _changed(fig: Figure, change: Change | None) -> Highlight:
    if not fig.shown:
        return _plain(format_html(_("NPS is not shown: {}."), wording.why(fig.gate)))
    if change is None or change.diff is None or not change.verdict:
        why = wording.verdict("", change.reason) if change else _("nothing to compare with")
        return _plain(format_html(_("NPS is <b>{}</b>; {}."), formats.points(fig.value), why))
    told = (formats.points(change.diff), formats.interval(change.low, change.high))
    if change.verdict == "changed":
        text = _("NPS has <b>changed by {}</b> against the period before ({} of the change).")
        up = bool(change.up)
        return Highlight("up" if up else "down", "qing" if up else "zhu", format_html(text, *told))
    text = _(
        "NPS {} against the period before ({} of the change): "
        "<b>not distinguishable</b> from no change."
    )
    return _plain(format_html(text, *told))


def _plain(words: SafeString) -> Highlight:
    return Highlight("flat", "muted", words)


def _weakest(heat: Map | None) -> Highlight:
    """The weakest stage, and whether it lies apart from all stages together."""
    rows = [row for row in heat.rows if row.total.figure.value is not None] if heat else []
    whole = heat.whole.figure if heat else None
    if len(rows) < 2 or whole is None or whole.value is None:
        return _plain(format_html("{}", _("Too few answers by stage to name the weakest one.")))
    low = min(rows, key=_value)
    fig = low.total.figure
    behind = formats.share_change(whole.value - _value(low)).lstrip("+")
    link = format_html('<a href="{}?{}">{}</a>', reverse("responses"), low.total.url, low.name)
    told = (link, low.total.value, fig.n, behind)
    if fig.high is not None and fig.high < whole.value:
        text = _("{}: <b>{}</b> satisfied (n = {}), {} below all stages: the weakest stage.")
        return Highlight("alert", "zhu", format_html(text, *told))
    text = _(
        "{} is lowest with {} satisfied (n = {}), {} below all stages; "
        "the sample does not set it apart."
    )
    return _plain(format_html(text, *told))


def _value(row: Row) -> float:
    return row.total.figure.value or 0


def _silent(figures: Mapping[str, Figure]) -> Highlight:
    """How much of what is lent has not been heard of."""
    covered, silent = figures["coverage_exposure"], figures["silent_exposure"]
    if silent.shown:
        text = _("<b>{}</b> of exposure has said nothing for 12 months.")
        return Highlight("clock", "hu", format_html(text, wording.written(silent)))
    if covered.shown:
        text = _("Those who answered hold <b>{}</b> of exposure.")
        return _plain(format_html(text, wording.written(covered)))
    rate = figures["client_response_rate"]
    if rate.shown:
        text = _("<b>{}</b> of the clients asked have answered.")
        return _plain(format_html(text, wording.written(rate)))
    return _plain(format_html(_("Coverage is not shown: {}."), wording.why(rate.gate)))
