"""Reads what is asked of the figures from an address; the same rules for pages and machines."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NoReturn, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from bank import scope
from bank.models import ApiKey, Role, Team, User
from clients.models import Client, Contact, Industry, Product, Stage
from metrics import queries
from metrics.formulas import periods
from metrics.models import Scope
from metrics.slicing import asking
from metrics.slicing.asking import Ask, Filters, Span
from surveys.models import Campaign, Questionnaire
from surveys.queries import campaigns

PERIOD = "rolling12m"
WHOLE = "all"
NAMES = frozenset(
    {"metric", "period", "from", "to", "population", "group_by", *asking.OF_ANSWERS}
    | {*asking.OF_CLIENTS}
)
LONGEST = 64
_MONTH = r"[1-9]\d{3}-(?:0[1-9]|1[0-2])"
_PERIOD = re.compile(rf"rolling90|rolling12m|(?:rolling3m:)?{_MONTH}|[1-9]\d{{3}}Q[1-4]", re.ASCII)
_DAY = re.compile(r"[1-9]\d{3}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
Row = TypeVar("Row", bound=Model)


class Refused(Exception):
    """What is asked cannot be read; `errors` maps each field to its sentences."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(str(errors))
        self.errors = errors


class NotFound(Exception):
    """There is no such team or campaign for this viewer."""


def read(
    given: Mapping[str, str], *, viewer: User | ApiKey, at: datetime, client: Client | None = None
) -> Ask:
    """The question an address asks; raises `Refused` for bad values, `NotFound` out of scope."""
    group = _one_of(given, "group_by", asking.GROUPS)
    filters = _filters(given, viewer, client)
    population = _population(given, filters, "" if group == "campaign" else queries.RELATIONAL)
    _fits(group, filters)
    metrics = _metrics(given, _scope(group, filters))
    return Ask(metrics, _span(given, group, filters, at=at), population, filters, group)


def teams_of(viewer: User | ApiKey) -> QuerySet[Team]:
    """Teams whose figures as a whole may be seen; a manager's own is one of them."""
    own = isinstance(viewer, User) and viewer.role == Role.RELATIONSHIP_MANAGER
    if own and isinstance(viewer, User) and not viewer.is_superuser:
        return Team.objects.filter(pk=viewer.team_id or 0)
    return scope.teams_of(viewer)


def limited(viewer: User | ApiKey) -> bool:
    """A key of a team sees nothing that reaches beyond it; for staff the bank is everybody's."""
    return isinstance(viewer, ApiKey) and not scope.sees_all(viewer)


def campaigns_of(viewer: User | ApiKey) -> QuerySet[Campaign]:
    """Campaigns whose figures this viewer may see."""
    rows: QuerySet[Campaign] = campaigns(viewer)
    if not limited(viewer):
        return rows
    codes = list(scope.teams_of(viewer).values_list("code", flat=True))
    return rows.filter(audience__within__in=codes)


def units(ask: Ask, viewer: User | ApiKey) -> QuerySet[Any] | None:
    """The teams, campaigns or clients of a group, as far as the viewer may see their figures."""
    filters = ask.filters
    if ask.group_by == "team":
        rows = teams_of(viewer)
        inside = rows.filter(pk__in=scope.teams_below(filters.team.pk)) if filters.team else rows
        return inside.order_by("code", "pk")
    if ask.group_by == "campaign":
        found = campaigns_of(viewer)
        return found.filter(questionnaire__kind=ask.population) if ask.population else found
    if ask.group_by == "client":
        rows_ = Client.objects.visible_to(viewer)
        if filters.team:
            rows_ = rows_.filter(team__in=scope.teams_below(filters.team.pk))
        return rows_.order_by("code", "pk")
    return None


def _filters(given: Mapping[str, str], viewer: User | ApiKey, client: Client | None) -> Filters:
    return Filters(
        team=_team(given, viewer),
        segment=_one_of(given, "segment", Client.Segment.values),
        size=_one_of(given, "size", Client.Size.values),
        industry=_known(given, "industry", _industry),
        stage=_known(given, "stage", _stage),
        product_family=_known(given, "product_family", _family),
        questionnaire=_known(given, "questionnaire", _questionnaire),
        campaign=_campaign(given, viewer),
        buying_role=_one_of(given, "buying_role", Contact.BuyingRole.values),
        client=client or _client(given, viewer),
    )


def _team(given: Mapping[str, str], viewer: User | ApiKey) -> Team | None:
    """The team named; a key of a team that names none gets its own."""
    code = given.get("team", "")
    if code:
        return _find(teams_of(viewer), code, code=code)
    grouped = given.get("group_by", "") in {"team", "campaign", "client"}
    if limited(viewer) and not given.get("campaign") and not grouped:
        return Team.objects.filter(pk=getattr(viewer, "team_id", None) or 0).first()
    return None


def _client(given: Mapping[str, str], viewer: User | ApiKey) -> Client | None:
    code = given.get("client", "")
    return _find(Client.objects.visible_to(viewer), code, code=code) if code else None


def _campaign(given: Mapping[str, str], viewer: User | ApiKey) -> Campaign | None:
    number = given.get("campaign", "")
    if not number:
        return None
    if not _NUMBER.fullmatch(number):
        raise NotFound(number)
    return _find(campaigns_of(viewer), number, pk=number)


def _find(rows: QuerySet[Row], text: str, **key: str) -> Row:
    found = None if "\x00" in text else rows.filter(**key).first()
    if found is None:
        raise NotFound(text[:LONGEST])
    return found


def _one_of(given: Mapping[str, str], name: str, known: tuple[str, ...] | list[str]) -> str:
    value = given.get(name, "")
    if value and value not in known:
        _refuse(name, _("Known are: %(names)s.") % {"names": ", ".join(known)})
    return value


def _known(given: Mapping[str, str], name: str, exists: Callable[[str], bool]) -> str:
    value = given.get(name, "")
    if value and (len(value) > LONGEST or "\x00" in value or not exists(value)):
        _refuse(name, _("There is nothing of this name."))
    return value


def _industry(code: str) -> bool:
    """A section letter or a division of GB/T 4754."""
    return Industry.objects.filter(**{"section" if code.isalpha() else "code": code}).exists()


def _stage(code: str) -> bool:
    return Stage.objects.filter(code=code).exists()


def _family(code: str) -> bool:
    return Product.objects.filter(family=code).exists()


def _questionnaire(key: str) -> bool:
    return Questionnaire.objects.filter(key=key).exists()


def _population(given: Mapping[str, str], filters: Filters, default: str) -> str:
    """The kind asked for; a campaign and a questionnaire are of one kind, never pooled.

    Beside each other, campaigns may be of several kinds: each row is of one.
    """
    asked = _one_of(given, "population", Questionnaire.Kind.values)
    kinds = set()
    if filters.questionnaire:
        line = Questionnaire.objects.only("kind").get(key=filters.questionnaire)
        kinds.add(str(line.kind))
    if filters.campaign is not None:
        kinds.add(str(filters.campaign.questionnaire.kind))
    kinds |= {asked} if asked else set()
    if len(kinds) > 1:
        _refuse("population", _("Kinds of surveys are never put together in one figure."))
    return kinds.pop() if kinds else default


def _fits(group: str, filters: Filters) -> None:
    """A group that a filter has already fixed makes one row; that is said, not guessed."""
    if group and group not in {"team", "industry"} and group in filters.names():
        _refuse("group_by", _("This is filtered by already."))


def _scope(group: str, filters: Filters) -> str:
    if group == "client" or filters.client is not None:
        return Scope.CLIENT
    if group == "campaign" or filters.campaign is not None:
        return Scope.CAMPAIGN
    return Scope.BANK


def _metrics(given: Mapping[str, str], unit: str) -> tuple[str, ...]:
    asked, known = given.get("metric"), queries.METRICS[unit]
    if asked is None:
        return known
    if unit == Scope.CLIENT and asked in queries.METRICS[Scope.BANK]:
        # The same rows for one client: a vote among clients is none of one, and says so.
        return (asked,)
    if asked not in known:
        names = ", ".join(known)
        _refuse(
            "metric", _("This unit has no such metric; known are: %(names)s.") % {"names": names}
        )
    return (asked,)


def _span(given: Mapping[str, str], group: str, filters: Filters, *, at: datetime) -> Span:
    zone = settings.TIME_ZONE
    if "from" in given or "to" in given:
        if "period" in given:
            _refuse("period", _("Give a period, or the days from and to, not both."))
        return _days(given, at=at)
    of_wave = group == "campaign" or filters.campaign is not None
    default = WHOLE if of_wave else PERIOD
    asked = given.get("period", default)
    if asked == WHOLE and of_wave:
        return Span(WHOLE, asking.whole_life(at))
    if not _PERIOD.fullmatch(asked):
        _refuse("period", _("Write a period as 2026Q3, 2026-10, rolling90 or rolling12m."))
    try:
        return asking.named_span(asked, at=at, zone=zone)
    except ValueError:
        _refuse("period", _("Write a period as 2026Q3, 2026-10, rolling90 or rolling12m."))


def _days(given: Mapping[str, str], *, at: datetime) -> Span:
    """Local days, the first included and the last not; without an end, up to today."""
    zone = settings.TIME_ZONE
    if "from" not in given:
        _refuse("to", _("An end needs a start."))
    first = _day(given, "from")
    after = (
        _day(given, "to") if "to" in given else periods.local_date(at, zone) + timedelta(days=1)
    )
    try:
        return asking.free_span(first, after, zone=zone)
    except ValueError:
        _refuse("to", _("The end must lie after the start."))


def _day(given: Mapping[str, str], name: str) -> date:
    text = given.get(name, "")
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        _refuse(name, _("Write a day as 2026-10-31."))


def _refuse(name: str, words: str) -> NoReturn:
    raise Refused({name: [words]})
