"""Whom a campaign asks: check what was chosen, then find the contacts."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from bank import scope
from bank.models import ApiKey, Team, User
from clients.models import Client, Contact
from clients.models.people import ContactQuerySet
from surveys.models import Campaign

# `within` is not chosen: it holds the team of the machine that planned the campaign.
CHOICES = ("client_codes", "segment", "team", "size", "job_roles", "buying_roles")
LISTS = ("client_codes", "job_roles", "buying_roles")
PATHS = {
    "client_codes": "client__code__in",
    "segment": "client__segment",
    "size": "client__size",
    "job_roles": "job_role__in",
    "buying_roles": "buying_role__in",
}
NAMED = 5


class Unusable(ValueError):
    """The audience makes no sense; `errors` says why, field by field."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(errors)
        self.errors = errors


def check(audience: Any, *, by: User | ApiKey | None) -> dict[str, Any]:
    """Return the audience without empty fields, or refuse it with a sentence for each field.

    A client out of the planner's sight is as unknown as one that does not exist. An empty
    audience is nobody: a draft may stand like that, and the pre-flight blocks its launch.
    """
    if not isinstance(audience, Mapping):
        raise Unusable({"audience": [_("The audience is a group of fields.")]})
    chosen = {name: value for name, value in audience.items() if value not in (None, "", [])}
    errors = {
        str(name): [_("There is no field of this name.")] for name in chosen if name not in CHOICES
    }
    for name in CHOICES:
        if name in chosen and name not in errors:
            fault = _fault(name, chosen[name], by)
            if fault:
                errors[name] = [fault]
    if errors:
        raise Unusable(errors)
    return chosen


def nobody() -> str:
    """What is said when a campaign has no audience."""
    return _("Choose whom to ask: client codes, or a segment, team, size or role.")


def contacts(campaign: Campaign) -> ContactQuerySet:
    """The contacts an audience names, without any judgement on whether they may be asked.

    A client named by code is taken as named; a rule such as a segment leaves out closed ones.
    """
    audience = campaign.audience
    if not any(audience.get(name) for name in CHOICES):
        return Contact.objects.none()
    condition = Q() if audience.get("client_codes") else ~Q(client__status=Client.Status.CLOSED)
    for name, path in PATHS.items():
        if audience.get(name):
            condition &= Q(**{path: audience[name]})
    for name in ("team", "within"):
        if audience.get(name):
            team = Team.objects.filter(code=audience[name]).first()
            condition &= Q(client__team__in=scope.teams_below(team.pk if team else 0))
    return Contact.objects.filter(condition).order_by("client", "external_id", "pk")


def limit(audience: dict[str, Any], *, by: User | ApiKey | None) -> dict[str, Any]:
    """Keep a machine's campaign inside its team, whoever launches it later."""
    if isinstance(by, ApiKey) and by.team is not None:
        return audience | {"within": by.team.code}
    return audience


def _fault(name: str, value: Any, by: User | ApiKey | None) -> str:
    if name in LISTS:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            return _("A list of texts is needed.")
        return _list_fault(name, value, by)
    if not isinstance(value, str):
        return _("A text is needed.")
    if name == "team":
        known = Team.objects.filter(code=value).exists()
    else:
        known = value in (Client.Segment.values if name == "segment" else Client.Size.values)
    return "" if known else _UNKNOWN[name]() % {"value": value}


def _list_fault(name: str, values: list[str], by: User | ApiKey | None) -> str:
    if name == "client_codes":
        clients = Client.objects.filter(code__in=values)
        seen = clients if by is None else clients.visible_to(by)
        known = set(seen.values_list("code", flat=True))
    elif name == "job_roles":
        known = set(Contact.JobRole.values)
    else:
        known = set(Contact.BuyingRole.values)
    strange = [value for value in dict.fromkeys(values) if value not in known]
    if not strange:
        return ""
    shown = ", ".join(strange[:NAMED]) + (" …" if len(strange) > NAMED else "")
    return _UNKNOWN[name]() % {"value": shown}


_UNKNOWN: dict[str, Callable[[], str]] = {
    "client_codes": lambda: _("No client has the code %(value)s."),
    "segment": lambda: _("There is no segment %(value)s."),
    "team": lambda: _("There is no team %(value)s."),
    "size": lambda: _("There is no size %(value)s."),
    "job_roles": lambda: _("There is no job role %(value)s."),
    "buying_roles": lambda: _("There is no buying role %(value)s."),
}
