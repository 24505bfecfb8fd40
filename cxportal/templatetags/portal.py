"""Small pieces of the staff pages: icons, score chips and links that keep the filters."""

from typing import Any

from django import template
from django.conf import settings
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

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
    return {"email": settings.MAIL_FROM, "phone": ""}
