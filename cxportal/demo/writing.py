"""Puts the generated bank into the database, in bulk and in an order that keys allow."""

from collections.abc import Iterable, Sequence
from datetime import time, timedelta
from itertools import islice
from typing import TypeVar

from django.db import models

from clients import consent
from clients.models import (
    Case,
    Client,
    Consent,
    Contact,
    ExchangeRate,
    Facility,
    FacilityBalance,
    Milestone,
    Outage,
    Suppression,
)
from cxportal.demo.deals import Deal
from cxportal.demo.facilities import Loan
from cxportal.demo.firms import Firm, Person
from cxportal.demo.people import asked_on
from cxportal.demo.streams import Plan, instant

BATCH = 2_000
CHUNK = 20_000
M = TypeVar("M", bound=models.Model)


def save(model: type[M], rows: Iterable[M]) -> list[M]:
    """Insert rows in batches; they have their keys afterwards."""
    return model.objects.bulk_create(list(rows), batch_size=BATCH)  # type: ignore[attr-defined,no-any-return]


def pour(model: type[M], rows: Iterable[M]) -> int:
    """Insert rows that come one after the other, never holding all of them; how many."""
    source, total = iter(rows), 0
    while chunk := list(islice(source, CHUNK)):
        total += len(save(model, chunk))
    return total


def clients(firms: Sequence[Firm]) -> None:
    """Companies first, then the project companies that point to a sponsor, then the merger."""
    save(Client, (firm.row for firm in firms if firm.row.parent is None))
    projects = [firm.row for firm in firms if firm.row.parent is not None]
    for row in projects:
        row.parent = row.parent  # the sponsor has its key now
    save(Client, projects)
    for firm in firms:
        if firm.heir is not None:
            firm.row.merged_into, firm.row.merged_on = firm.heir.row, firm.merged_on
            firm.row.status = Client.Status.CLOSED
            firm.row.save(update_fields=["merged_into", "merged_on", "status"])


def contacts(plan: Plan, firms: Sequence[Firm]) -> None:
    """The people with their consent and the addresses that bounce."""
    people = [person for firm in firms for person in firm.people]
    for firm in firms:
        for person in firm.people:
            person.row.client = (person.next_firm or firm).row
    save(Contact, (person.row for person in people))
    save(Consent, (_consent(plan, person) for person in people if person.consent != "unknown"))
    Suppression.objects.bulk_create(
        [row for person in people for row in _suppressions(plan, person)], ignore_conflicts=True
    )


def _consent(plan: Plan, person: Person) -> Consent:
    return Consent(
        contact=person.row,
        purpose=Consent.Purpose.SURVEY,
        state=person.consent,
        source=Consent.Source.PERSON,
        at=instant(asked_on(plan, person), time(9, 30)),
    )


def _suppressions(plan: Plan, person: Person) -> list[Suppression]:
    digest, at = consent.digest(person.row.email), plan.now - timedelta(days=30)
    rows = []
    if person.bounced:
        rows.append(Suppression(address_digest=digest, reason="bounced", at=at))
    if person.consent == "no":
        rows.append(Suppression(address_digest=digest, reason="opted_out", at=at))
    return rows


def cases(deals: Sequence[Deal]) -> None:
    """Cases and their milestones."""
    for deal in deals:
        deal.case.client = deal.firm.row
    save(Case, (deal.case for deal in deals))
    for deal in deals:
        for milestone in deal.milestones:
            milestone.case = deal.case
    save(Milestone, (milestone for deal in deals for milestone in deal.milestones))


def lent(loans: Sequence[Loan]) -> None:
    """Facilities and their balances."""
    for loan in loans:
        loan.row.client, loan.row.case = loan.firm.row, loan.row.case
    save(Facility, (loan.row for loan in loans))
    for loan in loans:
        for balance in loan.balances:
            balance.facility = loan.row
    pour(FacilityBalance, (balance for loan in loans for balance in loan.balances))


def common(rates: Sequence[ExchangeRate], outages: Sequence[Outage]) -> dict[str, list[int]]:
    """Rates and outages belong to nobody: those that were added are remembered by key."""
    held = set(ExchangeRate.objects.values_list("currency", "as_of"))
    fresh = save(ExchangeRate, (row for row in rates if (row.currency, row.as_of) not in held))
    known = set(Outage.objects.values_list("source", "starts_at"))
    dark = save(Outage, (row for row in outages if (row.source, row.starts_at) not in known))
    return {"rates": [row.pk for row in fresh], "outages": [row.pk for row in dark]}
