"""The mail of an invitation: a skeleton compiled once, filled in for each person.

The MIME message is cut at its personal places and its static parts are encoded beforehand;
each value is encoded by itself and joined in. Text of users is data here: it meets neither a
template engine nor a format string, only the substitution of `{{name}}` by allowed values.
"""

import calendar
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from bank import settings as values
from bank.cells import safe_header
from bank.dialogue import Mail
from bank.models import User
from clients.models import Contact
from surveys import letterforms, links, questionnaires
from surveys.models import Delivery, Invitation, Question, Version

LANGUAGES = {"zh": "zh-hans", "en": "en"}
FONTS = {
    "zh": "-apple-system,BlinkMacSystemFont,'PingFang SC','Microsoft YaHei',"
    "'Noto Sans CJK SC',Arial,sans-serif",
    "en": "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Noto Sans',Arial,"
    "'PingFang SC','Microsoft YaHei',sans-serif",
}
# What stands before the subject of a test.
TEST = {"zh": "[测试] ", "en": "[Test] "}
# What only the recipient's row knows; none of it is needed for a pre-flight.
PERSONAL = {
    "contact_name",
    "client_name",
    "branch_name",
    "rm_name",
    "survey_link",
    "opt_out_link",
}

Heads = list[tuple[str, str]]


class Unfillable(ValueError):
    """A text of this mail needs a value that is missing."""


def common(version: Version, *, closes_at: datetime, at: datetime) -> dict[str, Any]:
    """The values that are the same for everybody a campaign asks, in both languages."""
    last = closes_at.astimezone(settings.ZONE).date()
    half = at.astimezone(settings.ZONE).date()
    second = half.month > 6
    return {
        "bank_name": {"zh": settings.BANK_NAME_ZH, "en": settings.BANK_NAME_EN},
        "bank_address": {
            "zh": values.get("bank_address_zh"),
            "en": values.get("bank_address_en"),
        },
        "hotline": values.get("hotline"),
        "privacy_email": values.get("privacy_email"),
        "privacy_link": links.privacy_url(),
        "minutes": str(version.minutes),
        "close_date": {
            "zh": f"{last.month} 月 {last.day} 日",
            "en": f"{last.day} {calendar.month_name[last.month]}",
        },
        "half_year": {
            "zh": f"{half.year} 年{'下' if second else '上'}半年",
            "en": f"the {'second' if second else 'first'} half of {half.year}",
        },
    }


def personal(contact: Contact) -> dict[str, Any]:
    """The values of one contact; what is unknown is left out and the fallback speaks."""
    client = contact.client
    found: dict[str, Any] = {
        "contact_name": contact.salutation or contact.name,
        # Short names are Chinese: an English letter says the English name.
        "client_name": _both(client.short_name or client.name_zh, client.name_en),
    }
    if client.team is not None:
        found["branch_name"] = _both(client.team.name_zh, client.team.name_en)
    if client.manager is not None:
        person = client.manager
        found["rm_name"] = _both(
            person.name_zh or person.username, person.name_en or person.username
        )
    return found


class Press:
    """Makes the letters of one drain; each version, language and kind is compiled once."""

    def __init__(self) -> None:
        self._versions: dict[int, Version] = {}
        self._forms: dict[tuple[int, str, str, str], letterforms.Form] = {}
        self._senders: dict[tuple[int, str], tuple[Heads, str]] = {}

    def letter(self, delivery: Delivery, *, at: datetime) -> Mail:
        """Fill in one mail. `delivery` comes with invitation, contact, client and manager."""
        invitation = delivery.invitation
        version = self._version(invitation.version_id)
        colleague = invitation.test_for
        mark = TEST.get(invitation.language, "") if colleague else ""
        form = self._form(version, invitation.language, delivery.kind, mark)
        words = _words(version, invitation)
        manager = colleague
        if colleague is None and version.attribution != Version.Attribution.EXPERIENCE_TEAM_ONLY:
            manager = invitation.client.manager
        sender, words["sender_line"] = self._sender(manager, invitation.language)
        recipient = safe_header((colleague or invitation.contact).email)
        heads = [*sender, ("To", recipient), *_heads(delivery, words["opt_out_link"], at=at)]
        missing = form.names - words.keys()
        if missing:
            raise Unfillable(", ".join(sorted(missing)))
        return Mail(settings.MAIL_FROM, recipient, form.fill(heads, words))

    def _sender(self, manager: User | None, language: str) -> tuple[Heads, str]:
        key = (manager.pk if manager is not None else 0, language)
        if key not in self._senders:
            self._senders[key] = _sender(manager, language), _line(manager, language)
        return self._senders[key]

    def _version(self, pk: int) -> Version:
        if pk not in self._versions:
            self._versions[pk] = Version.objects.prefetch_related("questions").get(pk=pk)
        return self._versions[pk]

    def _form(self, version: Version, language: str, kind: str, mark: str) -> letterforms.Form:
        key = (version.pk, language, kind, mark)
        if key not in self._forms:
            self._forms[key] = compile_form(version, language, kind, mark=mark)
        return self._forms[key]


def compile_form(
    version: Version, language: str, kind: str, *, mark: str = ""
) -> letterforms.Form:
    """Lay out the mail of one version in one language and cut it at its personal places.

    `mark` is put in front of the subject.
    """
    mail = (version.emails or {}).get(kind) or {}
    subject, body = mail.get(f"subject_{language}"), mail.get(f"body_{language}")
    if not subject or not body:
        raise Unfillable(f"{kind}, {language}")
    subject = f"{mark}{subject}"
    with translation.override(LANGUAGES[language]):
        parts = letterforms.parts(body)
        text = letterforms.plain(parts, language)
        html = render_to_string(
            "surveys/email/invitation.html",
            {
                "parts": parts,
                "language": LANGUAGES[language].replace("hans", "Hans"),
                "subject": subject,
                "preheader": mail.get(f"preheader_{language}", ""),
                "filler": range(24),
                "score": _score(version, language),
                "scale": range(11),
                "font": FONTS[language],
                "survey_link": letterforms.LINK,
                "sender_line": letterforms.SENDER_LINE,
                "bank": _in(language, settings.BANK_NAME_ZH, settings.BANK_NAME_EN),
            },
        )
    known = {row["name"] for row in version.variables} | PERSONAL | {"sender_line"}
    known |= {"bank_name", "bank_address", "hotline", "privacy_link", "minutes", "close_date"}
    return letterforms.Form.cut(subject, text, html, known)


def _words(version: Version, invitation: Invitation) -> dict[str, str]:
    """The invitation's values in its language; the links are made anew and never stored."""
    planned = invitation.variables
    language = invitation.language
    words: dict[str, str] = {}
    for name, value in planned.items():
        one = value.get(language) if isinstance(value, dict) else value
        if one not in (None, ""):
            words[name] = str(one)
    words |= {
        name: str(value)
        for name, value in questionnaires.spoken(version, planned, language).items()
    }
    words["survey_link"] = links.survey_url(invitation.uuid)
    words["opt_out_link"] = links.opt_out_url(invitation.uuid)
    return words


def _sender(manager: User | None, language: str) -> Heads:
    """From whom the mail comes, and who gets the reply; a name begins no further header."""
    bank = _in(language, settings.BANK_NAME_ZH, settings.BANK_NAME_EN)
    sender = bank
    heads = []
    if manager is not None and manager.is_active:
        name = _in(language, manager.name_zh, manager.name_en) or manager.username
        sender = f"{name}（{bank}）" if language == "zh" else f"{name} ({bank})"
        if manager.email:
            heads.append(("Reply-To", safe_header(manager.email)))
    return [("From", f"{letterforms.word(safe_header(sender))} <{settings.MAIL_FROM}>"), *heads]


def _heads(delivery: Delivery, opt_out: str, *, at: datetime) -> Heads:
    """The headers of this one mail."""
    invitation = delivery.invitation
    return [
        ("Date", _date(at.replace(microsecond=0))),
        ("Message-ID", delivery.message_id),
        ("List-Unsubscribe", f"<{opt_out}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Auto-Submitted", "auto-generated"),
        ("X-CX-Invitation", str(invitation.uuid)),
    ]


@lru_cache(maxsize=64)
def _date(at: datetime) -> str:
    return format_datetime(at)


def _line(manager: User | None, language: str) -> str:
    """What stands under the name: title, and that a reply reaches the person."""
    if manager is None or not manager.is_active:
        return ""
    title = _in(language, manager.title_zh, manager.title_en)
    with translation.override(LANGUAGES[language]):
        reply = _("Reply to this mail to reach me") if manager.email else ""
    line = " · ".join(part for part in (title, reply) if part)
    return f"\n{line}" if line else ""


def _score(version: Version, language: str) -> dict[str, str]:
    """The recommend question and its ends, when it is the first one: only then the row may
    stand for it."""
    first = min(version.questions.all(), key=lambda one: one.position, default=None)
    if first is None or first.type != Question.Type.NPS:
        return {}
    ends = {end: first.labels.get(end, {}).get(language) for end in ("0", "10")}
    return {
        "question": str(getattr(first, f"text_{language}")),
        "low": ends["0"] or _("Not at all likely"),
        "high": ends["10"] or _("Extremely likely"),
    }


def _both(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh or en, "en": en or zh}


def _in(language: str, zh: str, en: str) -> str:
    return (zh or en) if language == "zh" else (en or zh)
