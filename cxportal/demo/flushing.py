"""Takes the invented bank out again: its rows and no other."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet

from clients.models import (
    Case,
    Client,
    ClientEvent,
    Contact,
    ExchangeRate,
    Facility,
    FacilityBalance,
    Milestone,
    Outage,
    Party,
    Profile,
    Statement,
    Touchpoint,
    Transaction,
)
from cxportal.demo.old_wave import SOURCE
from metrics.models import ReferenceDistribution, RobustnessReport
from surveys.models import Answer, Campaign, Delivery, Hit, Invitation, Question, Response, Version


def flush(kept: dict[str, Any]) -> int:
    """Delete demo rows only; the audit trail stays, since nothing may leave it.

    `kept` names what was added and belongs to no client: rates, outages, a frozen reference.
    """
    total = _delete_all(_surveys())
    Client.objects.filter(is_demo=True).update(merged_into=None, merged_on=None)
    total += _delete_all(_clients())
    for model in (ReferenceDistribution, RobustnessReport):
        total += _delete(model.objects.filter(version__in=kept.get("reference", [])))
    total += _delete(ExchangeRate.objects.filter(pk__in=kept.get("rates", [])))
    return total + _delete(Outage.objects.filter(pk__in=kept.get("outages", [])))


def forget_responses() -> None:
    """Take back what was said after an invitation, so that it can be drawn again."""
    mine = Response.objects.filter(client__is_demo=True, invitation__isnull=False)
    mine.update(replaces=None)
    _delete(Answer.objects.filter(response__in=mine))
    _delete(mine)


def _surveys() -> Iterator[QuerySet[Any]]:
    asked = Invitation.objects.filter(client__is_demo=True)
    said = Response.objects.filter(client__is_demo=True)
    said.update(replaces=None)
    yield Answer.objects.filter(response__in=said)
    yield said
    yield Hit.objects.filter(invitation__in=asked)
    yield Delivery.objects.filter(invitation__in=asked)
    yield asked
    yield Campaign.objects.filter(is_demo=True, invitations__isnull=True)
    old = Version.objects.filter(source_digest=SOURCE, response__isnull=True)
    yield Question.objects.filter(version__in=old)
    yield old


def _clients() -> Iterator[QuerySet[Any]]:
    mine = Client.objects.filter(is_demo=True)
    for model in (Touchpoint, Transaction):
        yield model.objects.filter(client__in=mine)
    yield FacilityBalance.objects.filter(facility__client__in=mine)
    yield Facility.objects.filter(client__in=mine)
    for other in (Statement, Profile, ClientEvent):
        yield other.objects.filter(client__in=mine)
    yield Party.objects.filter(Q(case__client__in=mine) | Q(client__in=mine))
    yield Milestone.objects.filter(case__client__in=mine)
    yield Case.objects.filter(client__in=mine)
    yield Contact.objects.filter(client__in=mine)
    yield mine.filter(parent__isnull=False)
    yield mine


def _delete_all(tables: Iterator[QuerySet[Any]]) -> int:
    return sum(_delete(rows) for rows in tables)


def _delete(rows: QuerySet[Any]) -> int:
    return int(rows.delete()[0])
