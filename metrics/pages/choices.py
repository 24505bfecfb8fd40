"""What the form of the indicator pages offers, and what each value is called."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from bank.models import ApiKey, User, in_language
from clients.models import Client, Contact, Industry, Product, Stage
from metrics import forms
from metrics.queries import Figure
from surveys.models import Questionnaire

Names = dict[str, str]


@dataclass(frozen=True)
class Field:
    """One field of the form: a choice where there are options, else a day."""

    name: str
    label: str
    value: str
    options: list[tuple[str, str]]


@dataclass(frozen=True)
class Slice:
    """One row of the cut: what it is called, and its figure."""

    label: str
    address: str
    figure: Figure


def group_names() -> Names:
    """What figures can be cut by."""
    return {
        "team": _("Team"),
        "segment": _("Line of business"),
        "size": _("Size of the client"),
        "industry": _("Industry"),
        "product_family": _("Product family"),
        "stage": _("Stage"),
        "questionnaire": _("Questionnaire"),
        "campaign": _("Campaign"),
        "buying_role": _("Role in buying"),
        "client": pgettext("one", "Client"),
    }


def family_names() -> Names:
    """Product families in words."""
    return {
        "working_capital": _("Working capital"),
        "project_finance": _("Project finance"),
        "risk_management": _("Risk management"),
        "cash_management": _("Cash management"),
        "restructuring_advice": _("Restructuring advice"),
    }


def named(name: str, viewer: User | ApiKey) -> Names:
    """The known values of a filter with their words; at most one query."""
    if name in _OF_ENUMS:
        return {str(value): str(label) for value, label in _OF_ENUMS[name]}
    if name == "team":
        return {team.code: team.name for team in forms.teams_of(viewer).order_by("code")}
    if name == "campaign":
        return {str(one.pk): one.name for one in forms.campaigns_of(viewer)}
    return _reference(name)


def clients(codes: Iterable[str], viewer: User | ApiKey) -> Names:
    """The names of clients by their code, as far as they may be seen."""
    found = Client.objects.visible_to(viewer).filter(code__in=list(codes))
    return {client.code: client.name for client in found}


_OF_ENUMS = {
    "segment": Client.Segment.choices,
    "size": Client.Size.choices,
    "buying_role": Contact.BuyingRole.choices,
    "population": Questionnaire.Kind.choices,
}


def _reference(name: str) -> Names:
    if name == "industry":
        return _sections()
    if name == "product_family":
        words = family_names()
        held = Product.objects.order_by("family").values_list("family", flat=True).distinct()
        return {family: words.get(family, family) for family in held}
    if name == "stage":
        return {
            stage.code: stage.name for stage in Stage.objects.order_by("case_kind", "position")
        }
    if name == "questionnaire":
        return {line.key: line.title for line in Questionnaire.objects.order_by("key")}
    return {}


def _sections() -> Names:
    """Sections by their letter; what they are called is in their divisions."""
    held: dict[str, list[str]] = {}
    for row in Industry.objects.order_by("code"):
        held.setdefault(row.section, []).append(row.name)
    more = in_language("等", ", …")
    return {
        letter: f"{letter} {names[0]}{more if len(names) > 1 else ''}"
        for letter, names in sorted(held.items())
    }


def fields(given: Mapping[str, str], viewer: User, periods: Iterable[str]) -> list[Field]:
    """Every field of the form with what is chosen."""
    groups = group_names()
    shown = [name for name in groups if name != "client"]
    made = [Field("period", _("Period"), given.get("period", ""), period_options(periods))]
    made += [Field(name, label, given.get(name, ""), []) for name, label in _days().items()]
    kinds = list(named("population", viewer).items())
    made.append(Field("population", _("Survey"), given.get("population", ""), kinds))
    made += [
        Field(name, groups[name], given.get(name, ""), list(named(name, viewer).items()))
        for name in shown
    ]
    return [*made, Field("group_by", _("Cut by"), given.get("group_by", ""), list(groups.items()))]


def _days() -> Names:
    return {"from": _("First day"), "to": _("Up to, not including")}


def period_options(stored: Iterable[str]) -> list[tuple[str, str]]:
    """The rolling windows, then quarters and months with figures, newest first."""
    keys = [key for key in sorted(stored, reverse=True) if key[0].isdigit()]
    quarters = [key for key in keys if "Q" in key]
    months = [key for key in keys if "Q" not in key]
    return [
        ("rolling12m", _("last 12 months")),
        ("rolling90", _("last 90 days")),
        *((key, key) for key in [*quarters, *months]),
    ]
