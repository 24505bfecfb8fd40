"""Small pieces of the staff pages: icons, score chips and links that keep the filters."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.conf import settings
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from bank import formats
from bank import settings as bank_settings
from bank.models import in_language
from clients.models import Case, Client
from cxportal.queries import engagement_words
from cxportal.queries.people import Rated
from metrics import wording
from metrics.queries import Figure

register = template.Library()


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """A line icon of the sprite; decoration only, so words stand beside it."""
    return format_html(
        '<svg class="ic{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        f" ic-{size}" if size else "",
        static("sprite.svg"),
        name,
    )


def group_of(score: int) -> str:
    """p, n or d: the score group as the last letter of its class names."""
    return "p" if score >= 9 else "n" if score >= 7 else "d"


def _group_name(score: int) -> str:
    return {"p": _("promoter"), "n": _("passive"), "d": _("detractor")}[group_of(score)]


@register.simple_tag
def chip(score: int | None, size: str = "") -> SafeString:
    """A rating from 0 to 10 by number and shape; a dash where there is none."""
    large = " sc-l" if size == "l" else ""
    if score is None:
        return format_html(
            '<span class="sc sc-0{}" role="img" aria-label="{}">–</span>', large, _("no answer")
        )
    label = _("NPS %(score)s / 10 (%(group)s)") % {"score": score, "group": _group_name(score)}
    return format_html(
        '<span class="sc sc-{}{}" role="img" aria-label="{}">{}</span>',
        group_of(score),
        large,
        label,
        score,
    )


@register.simple_tag(takes_context=True)
def keep(context: RequestContext, **changes: Any) -> str:
    """The query string of this page with some values changed; an empty value is dropped."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        if value in (None, ""):
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}" if query else "?"


@register.simple_tag
def cx_office() -> dict[str, str]:
    """Where staff find help; the same on every page."""
    return {"email": settings.MAIL_FROM, "phone": str(bank_settings.get("hotline"))}


@register.simple_tag(takes_context=True)
def drop(context: RequestContext, key: str) -> str:
    """The query string of this page without one filter, back on the first page."""
    query = context["request"].GET.copy()
    query.pop(key, None)
    query.pop("page", None)
    return f"?{query.urlencode()}"


@register.filter
def lang(code: str) -> str:
    """The language of a passage as the page names it."""
    return "en" if code == "en" else "zh-Hans"


@register.simple_tag
def quoted(text: str, code: str = "") -> str:
    """A client's words in quotation marks; both languages share the same marks."""
    return f"“{text}”"


@register.simple_tag
def amount(case: Case) -> str:
    """The amount of a case in its currency, or the mark of a missing one."""
    return formats.money(case.amount, case.currency)


@register.simple_tag
def other_name(client: Client) -> dict[str, str]:
    """The client's name in the language that is not the active one, where it differs."""
    text = in_language(client.name_en, client.name_zh)
    code = in_language("en", "zh-Hans")
    return {"text": "" if text == client.name else text, "lang": code}


@register.simple_tag
def channel(code: str) -> str:
    """How the answer came in, in words."""
    names = {"email": _("e-mail"), "import": _("imported"), "web": _("web page")}
    return names.get(code, code)


@register.filter
def tone(label: str) -> str:
    """The colour of a label of a client: teal, sand or vermilion."""
    return {"promoter": "qing", "passive": "sha", "detractor": "zhu"}.get(label, "o")


@register.filter
def band(label: str) -> str:
    """The band of a score in words."""
    return engagement_words.band(label)


@register.filter
def band_tone(label: str) -> str:
    """The colour of a band; the word stands in it."""
    return {"at risk": "zhu", "fragile": "hu", "sound": "o", "strong": "qing"}.get(label, "o")


@register.filter
def missing(fig: Figure) -> str:
    """Why there is no score of engagement or health, in words."""
    return engagement_words.reason(fig.gate)


@register.filter
def bands(fig: Figure) -> list[tuple[str, int]]:
    """How many clients are in each band, the lowest first."""
    counts = fig.detail.get("bands") or {}
    return [(name, counts.get(name, 0)) for name in ("at risk", "fragile", "sound", "strong")]


@register.filter
def plain(value: float | None) -> str:
    """A number as machines read it."""
    return "" if value is None else f"{value:.10f}".rstrip("0").rstrip(".")


@register.filter
def one_digit(value: float | None) -> str:
    """A score from 0 to 100."""
    return formats.number(value, 1)


@register.filter
def amount_in(value: Decimal | None, currency: str) -> str:
    """An amount in its own currency."""
    return formats.money(value, currency)


@register.filter
def why(fig: Figure) -> str:
    """Why a figure is withheld, in words; several reasons at once read as the first."""
    return wording.why(fig.gate)


@register.simple_tag
def ratings_height(rows: list[Rated]) -> dict[str, Any]:
    """The height of the chart of ratings, and a mark every quarter of its year."""
    line = 28 + 40 * len(rows)
    today = timezone.localdate()
    marks = []
    for back in (12, 9, 6, 3, 0):
        number = today.year * 12 + today.month - 1 - back
        x = round(662 - back * (662 - 146) / 12, 1)
        marks.append({"x": x, "label": f"{number // 12}-{number % 12 + 1:02d}"})
    return {"line": line, "text": line + 16, "view": line + 22, "ticks": marks}


@register.filter
def ci(fig: Figure) -> str:
    """The interval of a figure in the unit of its metric; empty where it has none."""
    return "" if fig.low is None or fig.high is None else wording.ends(fig)


@register.filter
def ends(fig: Figure) -> str:
    """The interval in whole points, for a dense table under a head that says what it is."""
    low, high = formats.points(fig.low, 0), formats.points(fig.high, 0)
    return in_language(f"{low} 至 {high}", f"{low} to {high}")


@register.simple_tag
def withheld(fig: Figure) -> SafeString:
    """A figure that may not be shown: a dash, the base it has, and the reason for machines."""
    return format_html(
        '<data class="figure" value="" data-metric="{}" data-n="{}" data-clients="{}"'
        ' data-low="" data-high="" data-method="{}" data-version="{}" data-gate="{}">'
        '–<span class="vh">{}</span></data>',
        fig.metric,
        fig.n,
        fig.clients,
        fig.method,
        "" if fig.version is None else fig.version,
        fig.gate,
        why(fig),
    )


@register.filter
def whole(value: int) -> str:
    """A mark of the score axis: signed, zero plain."""
    return formats.points(value, 0)


@register.filter
def add_to(value: float, more: float) -> float:
    """A coordinate moved by so much."""
    return round(value + more, 1)


@register.filter
def month(label: str) -> str:
    """The month under a column; the year stands with January and in the table."""
    year, _dash, number = label.partition("-")
    short = in_language(f"{int(number)} 月", formats.MONTHS[int(number) - 1])
    return f"{year}" if number == "01" else short


@register.filter
def group_words(group: str) -> str:
    """The name of a score group above a number of people."""
    return {"d": _("Detractors"), "n": _("Passives"), "p": _("Promoters")}[group]


@register.filter
def last_day(end: datetime) -> str:
    """The last day of a half-open span."""
    return formats.day(end - timedelta(seconds=1))


@register.filter
def called(client: Client) -> str:
    """The name of a client in a list: short in Chinese; in English there is only the full one."""
    return in_language(client.short, client.name_en)
