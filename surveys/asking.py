"""The invitations of triggers as they are written: their words, their hours and their mails."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Max

from clients.models import CaseEvent, Contact, MilestoneType
from surveys import invitations, letters, occasions, picking, reference
from surveys.models import Delivery, Invitation, Occasion, Version

BATCH = 1000
# The milestone that an event of a case reaches.
REACHES = {
    "approval_communicated": "credit_approval",
    "first_drawdown": "first_drawdown",
    "first_drawdown_refinancing": "first_drawdown",
    "cod_reached": "cod",
    "final_repayment": "settlement",
}

Words = dict[str, Any]


@dataclass
class Press:
    """Collects the invitations of a block, and writes them with their deliveries at once."""

    desk: picking.Desk
    at: datetime
    versions: Mapping[int, Version]
    marketing: Mapping[int, str]
    names: Mapping[str, Words]
    contexts: Mapping[str, Words]
    invitations: list[Invitation] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    # The code of the trigger behind each invitation, for the audit trail.
    triggers: list[str] = field(default_factory=list)
    _shared: dict[tuple[int, date, date], Words] = field(default_factory=dict)

    @classmethod
    def load(cls, desk: picking.Desk, *, at: datetime) -> "Press":
        """Read the newest versions, consents and names, in four queries."""
        newest = (
            Version.objects.published()
            .values("questionnaire")
            .annotate(newest=Max("number"))
            .values_list("questionnaire", "newest")
        )
        numbers = dict(newest)
        versions = {
            row.questionnaire_id: row
            for row in Version.objects.published().filter(number__in=set(numbers.values()))
            if numbers[row.questionnaire_id] == row.number
        }
        names = {
            code: {"zh": zh, "en": en}
            for model in (CaseEvent, MilestoneType)
            for code, zh, en in model.objects.values_list("code", "name_zh", "name_en")
        }
        said = invitations.marketing(desk.people)
        return cls(desk, at, versions, said, names, reference.contexts())

    def version(self, occasion: Occasion) -> Version | None:
        """The version to ask; None without a published one that has a mail."""
        version = self.versions.get(occasion.trigger.questionnaire_id)
        kind = Delivery.Kind.INVITATION.value
        return version if version is not None and (version.emails or {}).get(kind) else None

    def add(self, occasion: Occasion, contact: Contact) -> bool:
        """Plan the invitation of one contact; False where a text needs a value we lack."""
        version = self.version(occasion)
        if version is None:
            return False
        first = self.desk.rules.of(occasion.trigger).next_send(
            contact, at=max(occasion.due_at, self.at)
        )
        closes_at = first + timedelta(days=occasion.trigger.link_valid_days)
        words = self._common(version, first, closes_at) | letters.personal(contact)
        words |= self._event(occasion)
        words["marketing_consent"] = self.marketing.get(contact.pk, "")
        if _missing(version, words):
            return False
        invitation = invitations.make(
            contact,
            version=version,
            variables=words,
            closes_at=closes_at,
            at=self.at,
            occasion=occasion,
            case=occasion.case,
            milestone=occasion.milestone,
        )
        self.invitations.append(invitation)
        self.triggers.append(occasion.trigger.code)
        self.deliveries.append(invitations.delivery(invitation, first=first))
        return True

    def write(self) -> None:
        """Save what was planned, in the caller's transaction."""
        Invitation.objects.bulk_create(self.invitations, batch_size=BATCH)
        Delivery.objects.bulk_create(self.deliveries, batch_size=BATCH)

    def _common(self, version: Version, first: datetime, closes_at: datetime) -> Words:
        key = (version.pk, occasions.day(first), occasions.day(closes_at))
        if key not in self._shared:
            self._shared[key] = letters.common(version, closes_at=closes_at, at=first)
        return self._shared[key]

    def _event(self, occasion: Occasion) -> Words:
        """What the questionnaire may say of the event itself."""
        code = occasion.event.removeprefix("milestone:")
        reached = REACHES.get(code, code)
        context = occasion.trigger.context
        words: Words = {
            "event_date": _date(occasions.day(occasion.happened_at)),
            "milestone": reached,
            "milestone_name": self.names.get(reached),
            "survey_context": context,
            "contact_reason": self.contexts.get(context),
        }
        case = occasion.case
        if case is not None:
            words["case_no"] = case.number
            words["project_name"] = case.name or case.number
            if case.product is not None:
                words["product_name"] = {"zh": case.product.name_zh, "en": case.product.name_en}
        return {name: value for name, value in words.items() if value}


def _missing(version: Version, words: Words) -> set[str]:
    """The values without which this version must not be sent."""
    needed = {row["name"] for row in version.variables if row.get("required")}
    return {name for name in needed - letters.PERSONAL if not words.get(name)}


def _date(day: date) -> Words:
    return {
        "zh": f"{day.year} 年 {day.month} 月 {day.day} 日",
        "en": f"{day.day} {calendar.month_name[day.month]} {day.year}",
    }
