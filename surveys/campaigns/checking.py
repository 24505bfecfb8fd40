"""Maker and checker: one administrator submits a draft, another agrees to it."""

from datetime import datetime

from django.db import transaction

from bank import audit
from bank.models import Role, User
from surveys.campaigns.base import NotPossible, Status, held
from surveys.models import Campaign


def submit(campaign: Campaign, *, at: datetime, by: User) -> Campaign:
    """Ask for a second person's agreement; whoever submits last is the maker."""
    with transaction.atomic():
        draft = held(campaign)
        if draft.status != Status.DRAFT:
            raise NotPossible("wrong_status")
        if draft.submitted_by_id == by.pk or draft.approved_at is not None:
            return draft
        draft.submitted_by, draft.submitted_at = by, at
        draft.save(update_fields=["submitted_by", "submitted_at"])
        audit.record("campaign.submit", draft, at=at, by=by)
    return draft


def approve(campaign: Campaign, *, at: datetime, by: User) -> Campaign:
    """Agree to a submitted draft as it stands; never its maker, never a machine."""
    with transaction.atomic():
        draft = held(campaign)
        if draft.status != Status.DRAFT or draft.submitted_at is None:
            raise NotPossible("wrong_status")
        if draft.approved_at is not None:
            return draft
        if not may_approve(draft, by):
            raise NotPossible("same_person")
        draft.approved_by, draft.approved_at = by, at
        draft.save(update_fields=["approved_by", "approved_at"])
        audit.record("campaign.approve", draft, at=at, by=by)
    return draft


def may_approve(campaign: Campaign, person: User) -> bool:
    """Whether this person is an administrator who neither submitted nor last changed the draft."""
    makers = {campaign.submitted_by_id, campaign.changed_by_id}
    return person.role == Role.ADMINISTRATOR and person.pk not in makers
