"""The page "How is this figure made?": the account of one figure, as far as a viewer may see."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page as Sheet
from django.core.paginator import Paginator

from bank.models import Team, User
from clients.models import Client
from metrics import explaining, forms, slicing
from metrics.explaining import Account, Line
from metrics.models import Scope
from metrics.pages import choices, suspicion, telling
from metrics.pages.suspicion import Suspicion
from metrics.queries import Figure
from metrics.slicing import cells
from metrics.slicing.asking import Ask
from surveys import attribution
from surveys.models import Answer

A_PAGE = 50


@dataclass(frozen=True)
class Single:
    """One answer that the viewer may see: when, whose, what."""

    response_id: str
    client: Client
    person: str
    at: datetime
    value: int


@dataclass(frozen=True)
class Making:
    """Everything the page shows."""

    ask: Ask
    unit: str
    when: str
    figure: Figure
    filters: list[Line]
    account: Account
    heaviest: list[Line]
    singles: list[Single]
    sheet: Sheet[Answer]
    hidden: int
    listed: bool
    suspicion: Suspicion | None


def build(ask: Ask, *, viewer: User, at: datetime, number: str) -> Making:
    """The account of the figure that answers this question."""
    plain = ask if ask.filters.client else slicing.uncut(ask)
    (row,) = slicing.rows(plain, forms.units(plain, viewer), viewer=viewer, at=at)[:1]
    fig, where = row.figure, cells.where_of(ask.filters)
    window = ask.span.bounds
    found = explaining.singles(fig, viewer, window=window, where=where)
    sheet = Paginator(found, A_PAGE).get_page(number)
    return Making(
        ask=plain,
        unit=telling.unit(ask),
        when=telling.when(ask, at),
        figure=fig,
        filters=_filters(ask, viewer),
        account=explaining.account(fig, window=window, where=where),
        heaviest=explaining.heaviest(fig, viewer, window=window, where=where, at=at),
        singles=[_single(answer, viewer) for answer in sheet.object_list],
        sheet=sheet,
        hidden=max(fig.n - sheet.paginator.count, 0) if explaining.item_of(fig.metric) else 0,
        listed=bool(explaining.item_of(fig.metric)),
        suspicion=suspicion.build(plain, fig, viewer=viewer, at=at),
    )


def _single(answer: Answer, viewer: User) -> Single:
    """The person is named only where that was promised."""
    response = answer.response
    named = attribution.names_person(viewer, response) and response.contact is not None
    person = response.contact.name if named and response.contact else ""
    question = answer.question
    value = answer.value or 0
    if question.reversed and question.lo is not None and question.hi is not None:
        value = question.lo + question.hi - value
    return Single(response.response_id, response.client, person, response.submitted_at, value)


def _filters(ask: Ask, viewer: User) -> list[Line]:
    names = choices.group_names()
    return [
        Line(names[name], choices.named(name, viewer).get(str(code), str(code)))
        for name, code in ask.filters.given().items()
        if name not in {"team", "client"}
    ]


def translated(given: Mapping[str, str], *, viewer: User) -> dict[str, str]:
    """Unit, slice and period as a stored figure names them, as the filters of a question.

    Raises `forms.NotFound` for a unit that the viewer may not see.
    """
    rest = {name: value for name, value in given.items() if name not in {"scope", "id", "slice"}}
    rest |= _unit(given.get("scope", Scope.BANK), given.get("id", "0"), viewer)
    pairs = [pair.partition("=") for pair in given.get("slice", "").split("&") if pair]
    rest |= {name: value for name, _equals, value in pairs if name in forms.NAMES}
    first, days, after = rest.get("period", "").partition("/")
    if days:
        del rest["period"]
        rest |= {"from": first, "to": after}
    return rest


def _unit(scope: str, number: str, viewer: User) -> dict[str, str]:
    if scope == Scope.BANK:
        return {}
    if scope == Scope.CAMPAIGN:
        return {"campaign": number}
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise forms.NotFound(number)
    rows: dict[str, Any] = {
        str(Scope.TEAM): forms.teams_of(viewer),
        str(Scope.CLIENT): Client.objects.visible_to(viewer),
    }
    found = rows[scope].filter(pk=int(number)).first() if scope in rows else None
    if found is None:
        raise forms.NotFound(number)
    return {"team": found.code} if isinstance(found, Team) else {"client": found.code}
