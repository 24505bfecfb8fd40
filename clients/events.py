"""What happened to a client and not to a case: recorded once, as reported."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from bank import audit
from bank.models import ApiKey, User
from clients.models import CaseEvent, Client, ClientEvent

# A machine's clock may run ahead of ours by so much.
_AHEAD = timedelta(minutes=5)


class Refused(Exception):
    """This cannot be recorded; the text says why, for people."""


@transaction.atomic
def receive(  # noqa: PLR0913 - the facts of an event as it is reported
    client: Client,
    *,
    external_id: str,
    event: str,
    occurred_at: datetime,
    contact: str | None = None,
    at: datetime,
    by: User | ApiKey | None,
) -> tuple[ClientEvent, bool]:
    """Record an event and say whether it was new; the same report again changes nothing.

    `contact` is the number of the person it concerns, such as the complainant.
    """
    Client.objects.select_for_update(no_key=True).values_list("pk").get(pk=client.pk)
    known = ClientEvent.objects.select_related("contact").filter(external_id=external_id).first()
    if known is not None:
        told = known.contact.external_id if known.contact else None
        stored = (known.client_id, known.event, known.occurred_at, told)
        if stored != (client.pk, event, occurred_at, contact):
            raise Refused(_("This number was already reported with another content."))
        return known, False
    if not CaseEvent.objects.filter(code=event, subject="client", is_active=True).exists():
        raise Refused(_("“%(event)s” is no event of a client.") % {"event": event})
    if occurred_at > at + _AHEAD:
        raise Refused(_("The time lies in the future."))
    person = client.contacts.filter(external_id=contact).first() if contact else None
    if contact and person is None:
        raise Refused(_("“%(contact)s” is no contact of this client.") % {"contact": contact})
    new = ClientEvent.objects.create(
        external_id=external_id,
        client=client,
        contact=person,
        event=event,
        occurred_at=occurred_at,
    )
    data = {"event": event, "external_id": external_id}
    audit.record("client.event", client, at=at, by=by, data=data)
    return new, True
