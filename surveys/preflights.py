"""What speaks against sending a campaign now, and who would be asked."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from bank import scope
from bank import settings as values
from bank.models import ApiKey, User
from clients.models import Contact
from surveys import audiences, clearance, governance, letters, questionnaires, trials, waves
from surveys.models import (
    Campaign,
    Delivery,
    Invitation,
    Question,
    Questionnaire,
    RosterEntry,
    Version,
)

# A reminder comes after five working days; a shorter campaign could not be answered in peace.
SHORTEST = timedelta(days=5)
LONG_SECONDS = 60
MANY = 0.2
SECONDS = {Question.Type.TEXT: 20, Question.Type.SINGLE: 7, Question.Type.MULTI: 7}
SCALE_SECONDS = 5
WAITING = (Campaign.Status.SCHEDULED, Campaign.Status.SENDING, Campaign.Status.PAUSED)
# What the rules, the draw and the clock need of a contact.
JUDGED = (
    "client_id",
    "external_id",
    "buying_role",
    "email",
    "language",
    "left_on",
    "time_zone",
)
_PLACE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")


@dataclass(frozen=True)
class Note:
    """One finding: a code for machines and a sentence for people."""

    code: str
    text: str


@dataclass(frozen=True)
class Preflight:
    """The findings, and how many are selected, eligible and excluded for which reason."""

    blockers: list[Note]
    warnings: list[Note]
    selected: int
    eligible: int
    excluded: dict[str, int]


@dataclass(frozen=True)
class Plan:
    """Everybody a campaign names, judged for the moment at which its mail would go."""

    campaign: Campaign
    version: Version | None
    start: datetime
    rules: governance.Book
    contacts: list[Contact]
    refusals: dict[int, governance.Refusal]
    places: waves.Places

    @cached_property
    def eligible(self) -> list[Contact]:
        """Those who would be asked, in the audience's order."""
        return [contact for contact in self.contacts if contact.pk not in self.refusals]

    @property
    def ends(self) -> datetime:
        """When the last mail goes, as far as the weeks say."""
        return max(self.places.first.values(), default=self.start)

    def first(self, contact: Contact) -> datetime:
        """When the mail of this contact may leave: in its week, and in its own hours for mail."""
        opens = self.places.first.get(contact.pk, self.start)
        return self.rules.next_send(contact, at=opens) if self.campaign.send_window else opens


def plan(campaign: Campaign, *, at: datetime, viewer: User | ApiKey | None = None) -> Plan:
    """Select, judge and place the contacts; a constant number of queries for any audience.

    The contacts come with what the judgement needs and nothing else. A viewer is shown their
    part of what was decided for everybody.
    """
    start = max(at, campaign.send_at or at)
    rules = governance.book()
    named = audiences.contacts(campaign)
    contacts = list(named.only(*JUDGED))
    refusals = clearance.refusals(contacts, at=start, rules=rules)
    places = waves.Places()
    if not waves.is_plain(campaign):
        free = [contact for contact in contacts if contact.pk not in refusals]
        teams = dict(named.order_by().values_list("client", "client__team__code"))
        places = waves.place(campaign, free, teams, start=start, calendar=rules.calendar)
        refusals |= {pk: governance.Refusal(code) for pk, code in places.left_over.items()}
    if viewer is not None and not scope.sees_all(viewer):
        seen = set(named.visible_to(viewer).order_by().values_list("pk", flat=True))
        contacts = [contact for contact in contacts if contact.pk in seen]
        refusals = {pk: refusal for pk, refusal in refusals.items() if pk in seen}
    return Plan(
        campaign=campaign,
        version=questionnaires.current(campaign.questionnaire),
        start=start,
        rules=rules,
        contacts=contacts,
        refusals=refusals,
        places=places,
    )


def judge(plan: Plan, *, at: datetime) -> Preflight:
    """Say what blocks the launch and what deserves a second look."""
    excluded = Counter(refusal.code for refusal in plan.refusals.values())
    blockers = [Note(code, text) for code, find in _BLOCKERS.items() if (text := find(plan, at))]
    warnings = [Note(code, text) for code, find in _WARNINGS.items() if (text := find(plan, at))]
    return Preflight(
        blockers=blockers,
        warnings=warnings,
        selected=len(plan.contacts),
        eligible=len(plan.contacts) - len(plan.refusals),
        excluded=dict(sorted(excluded.items())),
    )


def _no_recipients(plan: Plan, at: datetime) -> str:
    if not any(plan.campaign.audience.get(name) for name in audiences.CHOICES):
        return audiences.nobody()
    if not plan.contacts:
        return _("The audience has no contact.")
    if not plan.eligible:
        return _("Nobody of the audience may be asked now.")
    return ""


def _missing_translation(plan: Plan, at: datetime) -> str:
    if plan.version is None:
        return _("This questionnaire has no published version.")
    languages = sorted({contact.language for contact in plan.eligible} or {"zh"})
    questions = list(plan.version.questions.all())
    missing = [one for one in languages if not _is_complete(plan.version, questions, one)]
    if not missing:
        return ""
    names = {"zh": _("Chinese"), "en": _("English")}
    return _("The mail or the questions are missing in %(languages)s.") % {
        "languages": ", ".join(names[one] for one in missing)
    }


def _is_complete(version: Version, questions: list[Question], language: str) -> bool:
    mail = (version.emails or {}).get(Delivery.Kind.INVITATION.value) or {}
    texts = [mail.get(f"{part}_{language}") for part in ("subject", "body")]
    texts += [getattr(question, f"text_{language}") for question in questions]
    return bool(questions) and all(texts)


def _missing_variable(plan: Plan, at: datetime) -> str:
    """Name what the texts need and a campaign cannot know, such as a case number."""
    version = plan.version
    if version is None:
        return ""
    known: Mapping[str, Any] = letters.common(version, closes_at=plan.campaign.closes_at, at=at)
    filled = {name for name, value in known.items() if value} | letters.PERSONAL
    needed = {row["name"] for row in version.variables if row.get("required")}
    declared = {row["name"] for row in version.variables}
    mail = (version.emails or {}).get(Delivery.Kind.INVITATION.value) or {}
    used = {name for text in mail.values() for name in _PLACE.findall(str(text))}
    missing = sorted((needed | (used - declared)) - filled)
    if not missing:
        return ""
    return _("The texts need values that a campaign does not have: %(names)s.") % {
        "names": ", ".join(missing)
    }


def _sender_missing(plan: Plan, at: datetime) -> str:
    try:
        validate_email(settings.MAIL_FROM)
    except ValidationError:
        return _("The sender's address MAIL_FROM is not an e-mail address.")
    return ""


def _closes_too_early(plan: Plan, at: datetime) -> str:
    first, last = (
        moment.astimezone(settings.ZONE).date() for moment in (plan.ends, plan.campaign.closes_at)
    )
    if last >= first + SHORTEST and plan.campaign.closes_at > plan.ends:
        return ""
    return _("The campaign must stay open for at least %(days)d days after sending.") % {
        "days": SHORTEST.days
    }


def _outside_window(plan: Plan, at: datetime) -> str:
    """Judge a chosen time only: without one the mail waits for the next window by itself."""
    chosen = plan.campaign.send_at
    if not plan.campaign.send_window or chosen is None or not plan.rules.acts("quiet_hours"):
        return ""
    windows = plan.rules.parameters["quiet_hours"]
    if plan.rules.calendar.next_send(chosen, settings.ZONE, windows) == chosen:
        return ""
    shown = ", ".join(f"{opens}–{closes}" for opens, closes in windows)
    return _("The send time lies outside working days and the hours %(windows)s.") % {
        "windows": shown
    }


def _needs_checker(plan: Plan, at: datetime) -> str:
    """A second person must agree from this many recipients on; 0 switches the rule off."""
    threshold = values.get("campaign_checker_from")
    if not threshold or len(plan.eligible) < threshold or _is_approved(plan):
        return ""
    return _("From %(count)d recipients on, a second administrator must agree.") % {
        "count": threshold
    }


def _is_approved(plan: Plan) -> bool:
    """Whether a second person has agreed to this draft with the questions as they are now."""
    approved = plan.campaign.approved_at
    published = plan.version.published_at if plan.version is not None else None
    return approved is not None and published is not None and published <= approved


def _no_test_send(plan: Plan, at: datetime) -> str:
    if plan.campaign.tested_at is None:
        return _("No test mail has been sent.")
    if trials.is_tested(plan.campaign, plan.version):
        return ""
    return _("No test mail has been sent since the last change.")


def _long_survey(plan: Plan, at: datetime) -> str:
    """Hold the median path against a minute; a relationship survey says its length itself."""
    if plan.version is None or plan.campaign.questionnaire.kind == Questionnaire.Kind.RELATIONAL:
        return ""
    shortest = longest = 0
    for question in plan.version.questions.all():
        seconds = SECONDS.get(Question.Type(question.type), SCALE_SECONDS)
        longest += seconds
        shortest += 0 if question.show_if else seconds
    if (shortest + longest) / 2 <= LONG_SECONDS:
        return ""
    return _("Answering takes more than a minute.")


def _many_excluded(plan: Plan, at: datetime) -> str:
    # Whom the draw left out was left out on purpose.
    excluded = sum(one.code != waves.SAMPLED_OUT for one in plan.refusals.values())
    if excluded <= MANY * len(plan.contacts):
        return ""
    return _("More than a fifth of the audience is excluded.")


def _overlap(plan: Plan, at: datetime) -> str:
    waiting = Invitation.objects.filter(
        state=Invitation.State.PLANNED,
        campaign__status__in=WAITING,
    ).exclude(campaign=plan.campaign.pk)
    planned = set(waiting.values_list("contact", flat=True))
    listed = RosterEntry.objects.filter(reason="", campaign__status__in=WAITING)
    planned |= set(listed.values_list("contact", flat=True))
    shared = sum(contact.pk in planned for contact in plan.eligible)
    if not shared:
        return ""
    return _("%(count)d recipients wait for a mail of another campaign.") % {"count": shared}


Finding = Callable[[Plan, datetime], str]
_BLOCKERS: dict[str, Finding] = {
    "no_recipients": _no_recipients,
    "missing_translation": _missing_translation,
    "missing_variable": _missing_variable,
    "sender_missing": _sender_missing,
    "closes_too_early": _closes_too_early,
    "outside_window": _outside_window,
    "needs_checker": _needs_checker,
}
_WARNINGS: dict[str, Finding] = {
    "no_test_send": _no_test_send,
    "long_survey": _long_survey,
    "many_excluded": _many_excluded,
    "overlap": _overlap,
}
