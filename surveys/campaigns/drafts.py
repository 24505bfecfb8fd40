"""A draft: made, changed, copied."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from bank import audit
from bank.models import ApiKey, User
from surveys import audiences, waves
from surveys.campaigns.base import NotPossible, Status, facts, held, person
from surveys.models import Campaign, Questionnaire

NAME_LENGTH = 120
# What a second person agreed to is no longer what they saw.
VOID: Mapping[str, None] = dict.fromkeys(
    ("submitted_by", "submitted_at", "approved_by", "approved_at")
)


def plan(  # noqa: PLR0913 - the fields of a campaign, each named by its caller
    name: str,
    *,
    questionnaire: Questionnaire,
    audience: dict[str, Any],
    send_at: datetime | None,
    closes_at: datetime,
    send_window: bool,
    at: datetime,
    by: User | ApiKey | None,
    **more: Any,
) -> Campaign:
    """Make a draft; `more` are the fields of its wave and `remind_after`.

    An audience or a wave that makes no sense is refused at once, in words.
    """
    chosen = audiences.check(audience, by=by)
    more |= waves.check(more)
    more["sample_seed"] = more.get("sample_seed") or secrets.randbelow(waves.LARGEST) + 1
    with transaction.atomic():
        campaign = Campaign.objects.create(
            name=name,
            questionnaire=questionnaire,
            audience=audiences.limit(chosen, by=by),
            send_at=send_at,
            closes_at=closes_at,
            send_window=send_window,
            created_by=person(by),
            created_at=at,
            changed_by=person(by),
            changed_at=at,
            **more,
        )
        audit.record("campaign.plan", campaign, at=at, by=by, data=facts(campaign))
    return campaign


def revise(
    campaign: Campaign, *, fields: dict[str, Any], at: datetime, by: User | ApiKey | None
) -> Campaign:
    """Change a draft; what was launched stays as it was launched. A change voids an agreement."""
    changed = dict(fields)
    if "audience" in changed:
        changed["audience"] = audiences.check(changed["audience"], by=by)
    with transaction.atomic():
        draft = held(campaign)
        if draft.status != Status.DRAFT:
            raise NotPossible("wrong_status")
        if "audience" in changed and "within" in draft.audience:
            changed["audience"] |= {"within": draft.audience["within"]}
        waves.check({name: getattr(draft, name) for name in waves.FIELDS} | changed)
        before = facts(draft)
        for name, value in changed.items():
            setattr(draft, name, value)
        after = facts(draft)
        if after == before:
            return draft
        for name in VOID:
            setattr(draft, name, None)
        draft.changed_by, draft.changed_at = person(by), at
        draft.save(update_fields=[*changed, *VOID, "changed_by", "changed_at"])
        audit.record("campaign.revise", draft, at=at, by=by, data=after)
    return draft


def copy(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """A new draft with the same choices and nobody invited: sent at once, open for as long.

    It draws anew, so that a second sample does not ask the same people.
    """
    began = campaign.send_at or campaign.launched_at or campaign.created_at
    fields = {name: getattr(campaign, name) for name in (*waves.FIELDS, "remind_after")}
    fields["sample_seed"] = None
    suffix = _(" (copy)")
    audience = {name: campaign.audience[name] for name in campaign.audience if name != "within"}
    return plan(
        campaign.name[: NAME_LENGTH - len(suffix)] + suffix,
        questionnaire=campaign.questionnaire,
        audience=audience,
        send_at=None,
        closes_at=at + (campaign.closes_at - began),
        send_window=campaign.send_window,
        at=at,
        by=by,
        **fields,
    )
