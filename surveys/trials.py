"""A test of a campaign: its real mail, in both languages, to colleagues; nothing of it counts.

The link is real and so is the way to it, but the mail is marked, the page says so, the names are
the invented ones of the questionnaire and the answer is marked as a test. The invitation hangs on
no campaign and is never counted as sent, so no rule, funnel or figure finds it.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction

from bank import audit
from bank.models import User
from clients.models import Contact
from surveys import audiences, invitations, letters, links, questionnaires
from surveys.models import Campaign, Delivery, Invitation, Version

STATUSES = (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED)
LANGUAGES = ("zh", "en")
OPEN = timedelta(days=14)


class NotPossible(Exception):
    """A test cannot be sent: `wrong_status`, `no_version`, `no_recipients` or `no_address`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def send(campaign: Campaign, *, to: Sequence[User], at: datetime, by: User) -> list[Invitation]:
    """Queue the test mails and remember with which content the campaign was tested."""
    with transaction.atomic():
        held = Campaign.objects.select_for_update().get(pk=campaign.pk)
        version, stand_in = _ready(held, to)
        rows = [
            _invitation(held, version, stand_in, person, language, at=at)
            for person in to
            for language in LANGUAGES
            if speaks(version, language)
        ]
        Invitation.objects.bulk_create(rows)
        # Not a touchpoint of anybody: there is nothing for the sweep to record.
        mails = [invitations.delivery(row, first=at) for row in rows]
        for mail in mails:
            mail.recorded = True
        Delivery.objects.bulk_create(mails)
        held.tested_at, held.tested_content = at, content(held, version)
        held.save(update_fields=["tested_at", "tested_content"])
        data = {"to": [person.username for person in to], "version": version.pk}
        audit.record("campaign.test", held, at=at, by=by, data=data)
    return rows


def is_tested(campaign: Campaign, version: Version | None) -> bool:
    """Whether what would be sent now is what was tested last."""
    return version is not None and campaign.tested_content == content(campaign, version)


def content(campaign: Campaign, version: Version) -> str:
    """A digest of what the mail of this campaign says; a published version never changes."""
    said = f"{version.pk}|{campaign.closes_at.isoformat()}"
    return hashlib.sha256(said.encode()).hexdigest()


def speaks(version: Version, language: str) -> bool:
    """Whether the version has an invitation in this language."""
    mail = (version.emails or {}).get(Delivery.Kind.INVITATION.value) or {}
    return bool(mail.get(f"subject_{language}") and mail.get(f"body_{language}"))


def _ready(campaign: Campaign, to: Sequence[User]) -> tuple[Version, Contact]:
    """What is sent and whose place it takes, or why not."""
    if campaign.status not in STATUSES:
        raise NotPossible("wrong_status")
    version = campaign.version or questionnaires.current(campaign.questionnaire)
    if version is None or not any(speaks(version, language) for language in LANGUAGES):
        raise NotPossible("no_version")
    if not to or not all(person.email for person in to):
        raise NotPossible("no_address")
    stand_in = audiences.contacts(campaign).order_by("pk").first()
    if stand_in is None:
        raise NotPossible("no_recipients")
    return version, stand_in


def _invitation(
    campaign: Campaign,
    version: Version,
    stand_in: Contact,
    person: User,
    language: str,
    *,
    at: datetime,
) -> Invitation:
    number = uuid4()
    return Invitation(
        uuid=number,
        contact=stand_in,
        client_id=stand_in.client_id,
        version=version,
        language=language,
        variables=_invented(version)
        | letters.common(version, closes_at=campaign.closes_at, at=at),
        survey_digest=links.digest(links.survey_token(number)),
        opt_out_digest=links.digest(links.opt_out_token(number)),
        created_at=at,
        closes_at=at + OPEN,
        test_of=campaign,
        test_for=person,
    )


def _invented(version: Version) -> dict[str, Any]:
    """The examples of the questionnaire: a colleague need not be allowed to see any client."""
    found: dict[str, Any] = {}
    for row in version.variables:
        zh, en = (row.get(f"example_{language}") for language in LANGUAGES)
        if zh or en:
            found[row["name"]] = zh if zh == en else {"zh": zh or en, "en": en or zh}
    return found
