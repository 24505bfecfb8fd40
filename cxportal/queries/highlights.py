"""Three sentences above the figures, each no stronger than its sample allows."""

from collections.abc import Mapping
from dataclasses import dataclass

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
        return Highlight("flat", "muted", format_html(_("NPS is not shown: {}."), wording.why(fig.gate)))
    if change is None or change.diff is None or not change.verdict:
        why = wording.verdict("", change.reason) if change else _("nothing to compare with")
        words = format_html(_("NPS is <b>{}</b>; {}."), formats.points(fig.value), why)
        return Highlight("flat", "muted", words)
    diff = wording.unit("nps").change(change.diff)
    ends = formats.interval(change.low, change.high)
    if change.verdict == "changed":
        words = format_html(
            _("NPS has <b>changed by {}</b> against the period before ({} of the change)."), diff, ends
        )
        return Highlight("up" if change.up else "down", "qing" if change.up else "zhu", words)
    words = format_html(
        _("NPS {} against the period before ({} of the change): <b>not distinguishable</b> from no change."),
        diff,
        ends,
    )
    return Highlight("flat", "muted", words)


def _weakest(heat: Map | None) -> Highlight:
    """The weakest stage, and whether it lies apart from all stages together."""
    rows = [row for row in heat.rows if row.total.figure.value is not None] if heat else []
    whole = heat.whole.figure if heat else None
    if len(rows) < 2 or whole is None or whole.value is None:
        words = _("Too few answers by stage to name the weakest one.")
        return Highlight("flat", "muted", format_html("{}", words))
    low = min(rows, key=_value)
    behind = formats.share_change(whole.value - _value(low))
    link = format_html('<a href="/responses/?{}">{}</a>', low.total.url, low.name)
    told = (link, low.total.value, low.total.figure.n, behind)
    if low.total.figure.high is not None and low.total.figure.high < whole.value:
        words = format_html(
            _("{}: <b>{}</b> satisfied (n = {}), {} below all stages: the weakest stage."), *told
        )
        return Highlight("alert", "zhu", words)
    words = format_html(
        _("{} is lowest with {} satisfied (n = {}), {} below all stages; the sample does not set it apart."),
        *told,
    )
    return Highlight("flat", "muted", words)


def _value(row: Row) -> float:
    return row.total.figure.value or 0


def _silent(figures: Mapping[str, Figure]) -> Highlight:
    """How much of what is lent has not been heard of."""
    covered, silent = figures["coverage_exposure"], figures["silent_exposure"]
    if silent.shown:
        words = format_html(
            _("<b>{}</b> of exposure has said nothing for 12 months."), wording.written(silent)
        )
        return Highlight("clock", "hu", words)
    if covered.shown:
        words = format_html(
            _("Those who answered hold <b>{}</b> of exposure."), wording.written(covered)
        )
        return Highlight("flat", "muted", words)
    rate = figures["client_response_rate"]
    if rate.shown:
        words = format_html(
            _("<b>{}</b> of the clients asked have answered."), wording.written(rate)
        )
        return Highlight("flat", "muted", words)
    return Highlight("flat", "muted", format_html(_("Coverage is not shown: {}."), wording.why(rate.gate)))
