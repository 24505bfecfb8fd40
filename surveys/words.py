"""What the codes of invitations, mails and responses are called, for the pages of the admin."""

from collections.abc import Mapping
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext

from bank.models import Team
from bank.words import CHANNELS, LANGUAGES, said
from clients.models import Client, Contact
from surveys.models import SuppressionRule

CANCELLED = "cancelled"


def reasons() -> Mapping[str, str]:
    """Why somebody is not asked, by code: the bank's rules, and a stopped campaign."""
    names = {rule.code: rule.name for rule in SuppressionRule.objects.all()}
    return names | {CANCELLED: gettext("cancelled")}


def languages() -> Mapping[str, str]:
    """The two languages."""
    return said(LANGUAGES)


def channels() -> Mapping[str, str]:
    """How something went out or came in."""
    return said(CHANNELS)


def audience(chosen: Mapping[str, Any]) -> str:
    """Whom a campaign asks, in one line."""
    choices = {
        "segment": Client.Segment,
        "size": Client.Size,
        "job_roles": Contact.JobRole,
        "buying_roles": Contact.BuyingRole,
    }
    labels = {
        "client_codes": gettext("client codes"),
        "segment": gettext("segment"),
        "team": gettext("team"),
        "size": gettext("size"),
        "job_roles": gettext("job roles"),
        "buying_roles": gettext("buying roles"),
    }
    parts = []
    for name, value in chosen.items():
        known = dict(choices[name].choices) if name in choices else {}
        if name in {"team", "within"}:
            known = {team.code: team.name for team in Team.objects.filter(code=value)}
        values = value if isinstance(value, list) else [value]
        words = [str(known.get(one, one)) for one in values]
        parts.append(f"{capfirst(labels.get(name, gettext('team')))} {' / '.join(words)}")
    return " · ".join(parts)
