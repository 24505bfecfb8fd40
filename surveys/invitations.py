"""An invitation and its first delivery, as a campaign and a trigger both make them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from django.conf import settings

from clients.models import Consent, Contact
from surveys import links
from surveys.models import Delivery, Invitation, Version


def marketing(people: Iterable[Any]) -> dict[int, str]:
    """What each contact said about product information, where it was asked; one query."""
    rows = Consent.objects.filter(contact__in=people, purpose=Consent.Purpose.MARKETING)
    return dict(rows.values_list("contact", "state"))


def make(
    contact: Contact,
    *,
    version: Version | None,
    variables: Mapping[str, Any],
    closes_at: datetime,
    at: datetime,
    **fields: Any,
) -> Invitation:
    """An invitation with its links, to be saved by the caller; it waits unless said otherwise."""
    number = uuid4()
    return Invitation(
        uuid=number,
        contact=contact,
        client_id=contact.client_id,
        version=version,
        language=contact.language,
        variables=dict(variables),
        survey_digest=links.digest(links.survey_token(number)),
        opt_out_digest=links.digest(links.opt_out_token(number)),
        created_at=at,
        closes_at=closes_at,
        **fields,
    )


def refused(code: str, free_on: date | None) -> dict[str, Any]:
    """The fields of an invitation that does not go, with its reason."""
    return {"state": Invitation.State.SKIPPED, "reason": code, "free_on": free_on}


def delivery(
    invitation: Invitation,
    *,
    first: datetime,
    kind: Delivery.Kind = Delivery.Kind.INVITATION,
) -> Delivery:
    """A mail of an invitation, queued from this moment on; its message id never changes."""
    domain = settings.MAIL_FROM.rpartition("@")[2]
    return Delivery(
        invitation=invitation,
        kind=kind,
        message_id=f"<{invitation.uuid.hex}.{kind.value}@{domain}>",
        next_try_at=first,
    )
