"""The answer page, kept ready and cut at names.

A published version never changes, so its page is rendered once per language and score of the
link; a visit fills in the names. Pages with errors or answers are rendered each time.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings as django_settings
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import gettext

from bank import settings
from bank.models import in_language
from surveys import links, questionnaires, sheets
from surveys.models import Invitation
from surveys.sheets import Sheet

KEPT = 400
_PLACE = re.compile("\x01([^\x02]*)\x02")
# A third of the page is indentation; an untouched page has no text that needs it.
_INDENT = re.compile(r"\s*\n\s*")
_cut: dict[tuple[Any, ...], list[str]] = {}

Values = Mapping[str, Any]


def ready(invitation: Invitation, language: str, score: int | None) -> str:
    """The untouched page of one invitation, from the store of pages kept ready."""
    version = invitation.version
    shown = tuple(
        questionnaires.possible(question.show_if, invitation.variables)
        for question in questionnaires.questions(version)
    )
    about = invitation.case is not None
    key = (questionnaires.mark(version), language, shown, about, score, invitation.is_test)
    parts = _cut.get(key)
    if parts is None:
        parts = _PLACE.split(_INDENT.sub("\n", _uncut(invitation, language, score)))
        if len(_cut) >= KEPT:
            _cut.clear()
        if version.published_at is not None:
            _cut[key] = parts
    filled = list(parts)
    names = _personal(invitation, language)
    filled[1::2] = [names.get(name, "") for name in parts[1::2]]
    return "".join(filled)


def forget() -> None:
    """Empty the store of pages."""
    _cut.clear()


def render(
    invitation: Invitation | None, sheet: Sheet, *, extra: dict[str, Any] | None = None
) -> str:
    """The page with the answers and faults of the sheet; without invitation it is a preview."""
    words = questionnaires.spoken(sheet.version, sheet.variables, sheet.language)
    return render_to_string("surveys/answer.html", _context(invitation, sheet, words, extra or {}))


def hotline(words: Values) -> str:
    """The phone number planned for the invitation, else the bank's own."""
    return str(words.get("hotline") or settings.get("hotline"))


def _uncut(invitation: Invitation, language: str, score: int | None) -> str:
    """Render the page with marks where names go."""
    version = invitation.version
    planned = {row["name"] for row in version.variables}
    words = {name: f"\x01{name}\x02" for name in planned}
    question = next(iter(questionnaires.questions(version)), None)
    values = {question.key: score} if question is not None and score is not None else {}
    sheet = Sheet(version, language, invitation.variables, values, score=score)
    context = _context(invitation, sheet, words, {})
    context["opt_out"], context["trap"] = "\x01/opt_out\x02", "\x01/trap\x02"
    context["hotline"] = "\x01/hotline\x02"
    context["about"] = "\x01/about\x02" if invitation.case is not None else ""
    return render_to_string("surveys/answer.html", context)


def _personal(invitation: Invitation, language: str) -> dict[str, str]:
    """What goes into the marks of a page, escaped."""
    version = invitation.version
    words = questionnaires.spoken(version, invitation.variables, language)
    # The bank may change its number any day, so it is no part of what is kept.
    number = hotline(words)
    names = {name: str(escape(value)) for name, value in words.items()}
    names["/hotline"] = str(escape(number))
    if "hotline" in (row["name"] for row in version.variables):
        names["hotline"] = names["/hotline"]
    names["/opt_out"], names["/trap"] = _opt_out(invitation), _trap(invitation)
    names["/about"] = str(escape(invitation.case.name)) if invitation.case is not None else ""
    return names


def _opt_out(invitation: Invitation) -> str:
    return links.path("opt_out", links.opt_out_token(invitation.uuid))


def _trap(invitation: Invitation) -> str:
    """The link that no person sees: who follows it is a program."""
    return links.path("view", links.survey_token(invitation.uuid))


def _context(
    invitation: Invitation | None, sheet: Sheet, words: Values, extra: dict[str, Any]
) -> dict[str, Any]:
    version = sheet.version
    rows = sheets.items(sheet, words)
    title = version.questionnaire.title
    return {
        "language": sheet.language,
        "bank_name": in_language(django_settings.BANK_NAME_ZH, django_settings.BANK_NAME_EN),
        "title": title,
        "page_title": gettext("Error: %(title)s") % {"title": title} if sheet.faults else title,
        "intro": questionnaires.fill(in_language(version.intro_zh, version.intro_en), words),
        "attribution": version.attribution,
        "items": rows,
        "faulty": [row for row in rows if row.fault],
        "hotline": hotline(words),
        "opt_out": _opt_out(invitation) if invitation is not None else "",
        "trap": _trap(invitation) if invitation is not None else "",
        "about": invitation.case.name if invitation is not None and invitation.case else "",
        "preview": invitation is None,
        "trial": invitation is not None and invitation.is_test,
        "editing": None,
    } | extra
