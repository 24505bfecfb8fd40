"""What a person allows us: consent, opt-out, bounced addresses, and clients left alone."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from bank import audit
from bank.models import ApiKey, User
from clients import changes
from clients.models import Client, Consent, Contact, Freeze, Suppression

_ADDRESS = "clients.consent.address"
# Up to here a list of keys in the query is cheaper than reading all that anybody said.
NARROW = 2_000

# The order of the bank's rules: the first reason that holds is the one that is shown.
ORDER = (
    "no_consent",
    Freeze.Reason.DECLINE_FREEZE.value,
    Freeze.Reason.OVERDUE_OR_RECOVERY.value,
    Freeze.Reason.OPEN_COMPLAINT.value,
    Freeze.Reason.COMPLIANCE_HOLD.value,
    "left_company",
    "address_bounced",
    Freeze.Reason.FOLLOW_UP_OPEN.value,
)


class NotAllowed(Exception):
    """Only the person may change what the person decided."""


@dataclass(frozen=True)
class Refusal:
    """Why a contact must not be written to, and since when (None: from the beginning)."""

    code: str
    since: datetime | None = None


def digest(email: str) -> str:
    """The keyed mark of an address, blind to case, width, blanks and how its domain is spelled.

    It stands for itself: it outlives the contact, and a new one with the same address meets it.
    """
    wide = unicodedata.normalize("NFKC", email)
    signs = [one for one in wide if not one.isspace() and unicodedata.category(one) != "Cf"]
    name, at, domain = "".join(signs).casefold().rpartition("@")
    spelled = ".".join(_spelled(label) for label in domain.rstrip(".").split("."))
    return salted_hmac(_ADDRESS, f"{name}{at}{spelled}", algorithm="sha256").hexdigest()


def _spelled(label: str) -> str:
    """A part of a domain as people write it: xn--mnchen-3ya is münchen."""
    if not label.startswith("xn--"):
        return label
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
    return unicodedata.normalize("NFKC", decoded).casefold()


def refusals(contacts: Iterable[Contact], *, at: datetime) -> dict[int, Refusal]:
    """The first reason per contact, by contact id; a contact without one may be written to."""
    return {pk: found[0] for pk, found in reasons(contacts, at=at).items() if found}


def refusal(contact: Contact, *, at: datetime) -> str:
    """The code of the first reason not to write to this contact, else an empty text."""
    found = refusals([contact], at=at).get(contact.pk)
    return found.code if found else ""


def reasons(contacts: Iterable[Contact], *, at: datetime) -> dict[int, list[Refusal]]:
    """Every reason per contact in the order of the rules, in three queries for any number."""
    people = list(contacts)
    digests = {person.pk: digest(person.email) for person in people}
    consents = Consent.objects.filter(purpose=Consent.Purpose.SURVEY, state=Consent.State.YES)
    suppressions = Suppression.objects.all()
    freezes = Freeze.objects.active()
    if len(people) <= NARROW:
        consents = consents.filter(contact__in=list(digests))
        suppressions = suppressions.filter(address_digest__in=set(digests.values()))
        freezes = freezes.filter(client__in={person.client_id for person in people})
    agreed = set(consents.values_list("contact", flat=True))
    suppressed = {
        (address, reason): at
        for address, reason, at in suppressions.values_list("address_digest", "reason", "at")
    }
    frozen: dict[int, list[Refusal]] = {}
    for freeze_row in freezes.order_by("-started_at", "-pk"):
        found = Refusal(freeze_row.reason, freeze_row.started_at)
        frozen.setdefault(freeze_row.client_id, []).append(found)
    return {
        person.pk: _ordered(
            _own(person, digests[person.pk], agreed, suppressed, at=at)
            + frozen.get(person.client_id, [])
        )
        for person in people
    }


def _own(
    person: Contact,
    address: str,
    agreed: set[int],
    suppressed: dict[tuple[str, str], datetime],
    *,
    at: datetime,
) -> list[Refusal]:
    """The reasons that lie in the person and the address, apart from those of the client."""
    found = []
    opted_out = suppressed.get((address, Suppression.Reason.OPTED_OUT))
    if opted_out or person.pk not in agreed:
        found.append(Refusal("no_consent", opted_out))
    if person.left_on and person.left_on <= timezone.localdate(at):
        found.append(Refusal("left_company"))
    bounced = suppressed.get((address, Suppression.Reason.BOUNCED))
    if bounced:
        found.append(Refusal("address_bounced", bounced))
    return found


def _ordered(found: list[Refusal]) -> list[Refusal]:
    """One refusal per code, the newest of each, as the rules are ordered."""
    by_code: dict[str, Refusal] = {}
    for item in found:
        by_code.setdefault(item.code, item)
    return sorted(by_code.values(), key=lambda item: ORDER.index(item.code))


@transaction.atomic
def opt_out(contact: Contact, *, at: datetime) -> Consent:
    """The person wants no more surveys: the address is closed for every contact that has it."""
    _row, closed = Suppression.objects.get_or_create(
        address_digest=digest(contact.email),
        reason=Suppression.Reason.OPTED_OUT,
        defaults={"at": at},
    )
    consent, changed = _write(
        contact, Consent.Purpose.SURVEY, Consent.State.NO, Consent.Source.PERSON, at=at
    )
    if closed or changed:
        audit.record("consent.opt_out", contact, at=at, label="contact")
    return consent


@transaction.atomic
def say_why(contact: Contact, why: str, *, at: datetime) -> bool:
    """Keep why somebody opted out, if they say so afterwards; it changes nothing else."""
    rows = Suppression.objects.filter(
        address_digest=digest(contact.email), reason=Suppression.Reason.OPTED_OUT
    )
    said = rows.exclude(why=why).update(why=why)
    if said:
        audit.record("consent.why", contact, at=at, data={"why": why}, label="contact")
    return bool(said)


@transaction.atomic
def return_(
    contact: Contact, *, at: datetime, by: User | ApiKey | None = None, how: str = ""
) -> Consent:
    """The person comes back; a bounced address stays closed, since it cannot be reached.

    Staff write down that the person wishes it (`by`), and how they said so; nobody else decides.
    """
    if by is not None and not how.strip():
        raise NotAllowed(contact.external_id)
    opened, _rows = Suppression.objects.filter(
        address_digest=digest(contact.email), reason=Suppression.Reason.OPTED_OUT
    ).delete()
    consent, changed = _write(
        contact, Consent.Purpose.SURVEY, Consent.State.YES, Consent.Source.PERSON, at=at
    )
    if opened or changed:
        data = {"how": how.strip()} if by is not None else {}
        label = "" if by is not None else "contact"
        audit.record("consent.return", contact, at=at, by=by, data=data, label=label)
    return consent


@transaction.atomic
def state(
    contact: Contact,
    purpose: str,
    state: str,
    source: str,
    *,
    at: datetime,
    by: User | ApiKey | None,
) -> Consent:
    """Write what was agreed; staff and files cannot overrule what the person decided."""
    if source != Consent.Source.PERSON and _decided_by_person(contact, purpose):
        raise NotAllowed(contact.external_id)
    consent, changed = _write(contact, purpose, state, source, at=at)
    if changed:
        data = {"purpose": purpose, "state": state, "source": source}
        audit.record("consent.state", contact, at=at, by=by, data=data)
    return consent


def closed_addresses() -> set[str]:
    """The digests of all addresses whose owner has opted out."""
    rows = Suppression.objects.filter(reason=Suppression.Reason.OPTED_OUT)
    return set(rows.values_list("address_digest", flat=True))


@transaction.atomic
def bounce(contact: Contact, *, at: datetime) -> Suppression:
    """The address does not exist: it is closed until staff enter another or clear it."""
    row, created = Suppression.objects.get_or_create(
        address_digest=digest(contact.email),
        reason=Suppression.Reason.BOUNCED,
        defaults={"at": at},
    )
    if created:
        audit.record("consent.bounce", contact, at=at)
    return row


@transaction.atomic
def clear_bounce(contact: Contact, *, at: datetime, by: User | ApiKey | None) -> bool:
    """The address works again, says a member of staff; an opt-out of it is not touched."""
    cleared, _rows = Suppression.objects.filter(
        address_digest=digest(contact.email), reason=Suppression.Reason.BOUNCED
    ).delete()
    if cleared:
        audit.record("consent.clear_bounce", contact, at=at, by=by)
    return bool(cleared)


@transaction.atomic
def freeze(
    client: Client,
    reason: str,
    *,
    cause: str = "",
    severity: str = "",
    at: datetime,
    by: User | ApiKey | None = None,
) -> Freeze:
    """Leave the client alone for this reason; the same cause twice is one freeze."""
    row, created = Freeze.objects.active().get_or_create(
        client=client,
        reason=reason,
        cause=cause,
        defaults={
            "severity": severity,
            "started_at": at,
            "by": by if isinstance(by, User) else None,
        },
    )
    if created:
        data = {"reason": reason, "cause": cause, "severity": severity}
        audit.record("consent.freeze", client, at=at, by=by, data=data)
        changes.note([client.pk], at=at)
    return row


@transaction.atomic
def thaw(freeze: Freeze, *, at: datetime, by: User | ApiKey | None = None) -> Freeze:
    """Lift one freeze; other reasons of the same client go on."""
    lifted = Freeze.objects.active().filter(pk=freeze.pk).update(ended_at=at)
    if lifted:
        data = {"reason": freeze.reason, "cause": freeze.cause}
        audit.record("consent.thaw", f"client:{freeze.client_id}", at=at, by=by, data=data)
        changes.note([freeze.client_id], at=at)
    freeze.refresh_from_db()
    return freeze


def _decided_by_person(contact: Contact, purpose: str) -> bool:
    """An address that opted out speaks for every contact that has it."""
    closed = Suppression.objects.filter(
        address_digest=digest(contact.email), reason=Suppression.Reason.OPTED_OUT
    )
    if purpose == Consent.Purpose.SURVEY and closed.exists():
        return True
    return Consent.objects.filter(
        contact=contact, purpose=purpose, source=Consent.Source.PERSON
    ).exists()


def _write(
    contact: Contact, purpose: str, state: str, source: str, *, at: datetime
) -> tuple[Consent, bool]:
    """Write the one row of this purpose; say whether anything changed."""
    row, created = Consent.objects.select_for_update().get_or_create(
        contact=contact,
        purpose=purpose,
        defaults={"state": state, "source": source, "at": at},
    )
    changed = created or (row.state, row.source) != (state, source)
    if changed and not created:
        row.state, row.source, row.at = state, source, at
        row.save(update_fields=["state", "source", "at"])
    if changed:
        changes.note([contact.client_id], at=at)
    return row, changed
