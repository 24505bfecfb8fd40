"""Who a campaign asks and who not: the list page and the file."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from bank import audit, formats
from bank.admin.base import who
from bank.cells import safe_cell
from clients.models import Client, Contact
from surveys import preflights, queries, words
from surveys.admin.standing import named
from surveys.models import Campaign, Delivery, Invitation

PAGE = 100
CHUNK = 2_000
Status, State = Campaign.Status, Invitation.State


@dataclass(frozen=True)
class Row:
    """One contact: where it stands, from when it is asked or when it is free again."""

    contact: Contact
    client: Client
    state: str
    reason: str
    first: datetime | None
    free_on: date | None


def page(request: HttpRequest, campaign: Campaign, *, frame: dict[str, Any]) -> HttpResponse:
    """List everybody, or those asked, excluded, or excluded for one reason."""
    reason, show = request.GET.get("reason", ""), request.GET.get("show", "")
    if campaign.status == Status.DRAFT:
        plan = preflights.plan(campaign, at=timezone.now())
        flight = preflights.judge(plan, at=timezone.now())
        found: Any = _of_plan(plan, reason=reason, show=show)
        counts, selected, asked = flight.excluded, flight.selected, flight.eligible
    else:
        funnel = queries.funnel(campaign, viewer=who(request))
        found = _of_ledger(request, campaign, reason=reason, show=show)
        counts, selected = funnel.skipped, funnel.planned
        asked = selected - sum(counts.values())
    rows = Paginator(found, PAGE).get_page(request.GET.get("p"))
    shown = _planned(plan, rows) if campaign.status == Status.DRAFT else _written(rows)
    context = frame | {
        "title": _("People"),
        "original": campaign,
        "page": rows,
        "rows": list(shown),
        "reason": reason,
        "show": show,
        "excluded": named(counts),
        "selected": selected,
        "asked": asked,
        "left_out": sum(counts.values()),
    }
    return TemplateResponse(request, "admin/surveys/campaign/people.html", context)


def export(request: HttpRequest, campaign: Campaign) -> StreamingHttpResponse:
    """The invitations as a file, or of a failed campaign what has failed; written down."""
    show = "failed" if campaign.status == Status.FAILED else ""
    found = _of_ledger(request, campaign, reason="", show=show)
    data = {"rows": found.count(), "show": show or "all"}
    audit.record("campaign.export", campaign, at=timezone.now(), by=who(request), data=data)
    answer = StreamingHttpResponse(_lines(found), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="campaign-{campaign.pk}.csv"'
    return answer


class _Echo:
    """What the csv module writes to, handing each line on."""

    def write(self, line: str) -> str:
        return line


def _lines(found: QuerySet[Invitation]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    heads = [
        _("Client code"), _("Client"), _("Contact number"), _("Contact"), _("State"),
        _("Reason"), _("Free again on"), _("Sent at"), _("Answered at"), _("Last error"),
    ]  # fmt: skip
    yield "\ufeff"
    yield writer.writerow(heads)
    names = words.reasons()
    rows = found.prefetch_related("deliveries").iterator(chunk_size=CHUNK)
    for one in rows:
        mail = _first(one)
        yield writer.writerow(
            safe_cell(value)
            for value in (
                one.client.code,
                str(one.client),
                one.contact.external_id,
                one.contact.name,
                one.get_state_display(),
                names.get(one.reason, one.reason),
                one.free_on.isoformat() if one.free_on else "",
                formats.moment(one.sent_at) if one.sent_at else "",
                formats.moment(one.answered_at) if one.answered_at else "",
                mail.last_error if mail is not None else "",
            )
        )


def _of_plan(plan: preflights.Plan, *, reason: str, show: str) -> list[Contact]:
    """The contacts of a draft that the list is about, in the audience's order."""
    if reason:
        return [
            one
            for one in plan.contacts
            if one.pk in plan.refusals and plan.refusals[one.pk].code == reason
        ]
    if show == "asked":
        return plan.eligible
    if show == "excluded":
        return [one for one in plan.contacts if one.pk in plan.refusals]
    return plan.contacts


def _of_ledger(
    request: HttpRequest, campaign: Campaign, *, reason: str, show: str
) -> QuerySet[Invitation]:
    found = queries.invitations(who(request), campaign=campaign).defer("variables")
    out = (State.SKIPPED, State.WITHDRAWN)
    if reason:
        return found.filter(reason=reason)
    if show == "asked":
        return found.exclude(state__in=out)
    if show == "excluded":
        return found.filter(state__in=out)
    if show == "failed":
        failed = Delivery.objects.filter(
            state=Delivery.State.FAILED, kind=Delivery.Kind.INVITATION
        )
        return found.filter(pk__in=failed.values("invitation"))
    return found


def _planned(plan: preflights.Plan, contacts: Iterable[Contact]) -> Iterator[Row]:
    """The people of a draft as they would be asked; their names are read for this page only."""
    keys = [contact.pk for contact in contacts]
    full = Contact.objects.select_related("client").in_bulk(keys)
    names = words.reasons()
    for key in keys:
        refusal = plan.refusals.get(key)
        state = State.SKIPPED if refusal else State.PLANNED
        yield Row(
            contact=full[key],
            client=full[key].client,
            state=str(state.label),
            reason=names.get(refusal.code, refusal.code) if refusal else "",
            first=None if refusal else plan.first(full[key]),
            free_on=refusal.free_on if refusal else None,
        )


def _written(page: Any) -> Iterator[Row]:
    rows = list(page)
    mails = Delivery.objects.filter(invitation__in=rows, kind=Delivery.Kind.INVITATION)
    firsts = {mail.invitation_id: mail for mail in mails}
    names = words.reasons()
    for one in rows:
        mail = firsts.get(one.pk)
        why = names.get(one.reason, one.reason)
        if mail is not None and mail.state == Delivery.State.FAILED:
            why = mail.last_error
        waits = mail is not None and one.state == State.PLANNED
        yield Row(
            contact=one.contact,
            client=one.client,
            state=one.get_state_display(),
            reason=why,
            first=mail.next_try_at if mail is not None and waits else one.sent_at,
            free_on=one.free_on,
        )


def _first(invitation: Invitation) -> Delivery | None:
    mails = [one for one in invitation.deliveries.all() if one.kind == Delivery.Kind.INVITATION]
    return mails[0] if mails else None
