"""How a figure is made: what went in, what did not and why, by which rule and parameters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from bank import formats
from bank.models import ApiKey, User
from clients.models import Client
from metrics import naming, words
from metrics.facts import answers, exclusions, exposure
from metrics.facts.exclusions import COMPOSITE, DIMENSIONS, NPS
from metrics.facts.where import Where
from metrics.formulas import periods
from metrics.formulas.periods import Bounds
from metrics.models import ParameterSet
from metrics.queries import ENGAGEMENT, Figure
from surveys.models import Answer

# The part of the parameter set that each family of figures is made with.
_SETS = {
    "nps": ("clients", "intervals", "suspicion"),
    "csat": ("csat", "intervals"),
    "ces": ("intervals",),
    "rate": ("responding", "intervals"),
    "cei": ("engagement", "bands"),
    "health": ("health", "client_score", "bands"),
    "silent": (),
}


_SECOND = timedelta(seconds=1)
_HEAVIEST = 5


@dataclass(frozen=True)
class Line:
    """One line of the account: what it is, in words, and how much."""

    label: str
    value: str
    # The name that machines use, where it says more to a reader who checks.
    code: str = ""


@dataclass(frozen=True)
class Account:
    """Everything a reader needs to recount a figure, as far as this viewer may see it."""

    rule: str
    numbers: list[Line]
    excluded: list[Line]
    parameters: list[Line]


def item_of(metric: str) -> str:
    """The item of the answers a metric is made of; empty for what no answer tells."""
    if metric.startswith("nps") or metric in {"recommend_mean", "client_label"}:
        return NPS
    if metric in {COMPOSITE, "ces"}:
        return metric
    name = metric.removeprefix("csat_")
    return name if name in DIMENSIONS else ""


def account(fig: Figure, *, window: Bounds, where: Where) -> Account:
    """The rule in words, the numbers put in, what was left out and why; five queries."""
    return Account(
        rule=rule(fig.metric),
        numbers=list(_numbers(fig)),
        excluded=_excluded(fig, window, where),
        parameters=_parameters(fig),
    )


def singles(
    fig: Figure, viewer: User | ApiKey, *, window: Bounds, where: Where
) -> QuerySet[Answer]:
    """The answers in it that this viewer may see one by one, newest first, as a queryset."""
    item = item_of(fig.metric)
    if not item:
        return Answer.objects.none()
    return exclusions.singles(viewer, item, window, fig.population, where)


def rule(metric: str) -> str:
    """The formula in words."""
    family = _family(metric)
    rules = {
        "nps": _(
            "Each client has one vote: the mean of its people's last answers makes it a promoter "
            "(9 to 10), passive (7 to below 9) or detractor (below 7), without rounding. NPS is "
            "the share of promoters less the share of detractors, in points."
        ),
        "nps_exposure": _(
            "As the client's vote, but each client weighs as much as the bank has committed to "
            "it: drawn and undrawn, at the end of the period. The interval allows for unequal "
            "weights."
        ),
        "nps_respondent": _(
            "Every person's last answer counts once: the share of 9 and 10 less the share of 0 to "
            "6, in points. Talkative clients count more, so it serves comparison only."
        ),
        "recommend_mean": _("The mean of the open answers of the client's people, from 0 to 10."),
        "client_label": _(
            "From the mean of the open answers: promoter from 9, passive from 7, else detractor."
        ),
        "csat": _(
            "Each response: the weighted mean of its rated dimensions on 0 to 100, if at least "
            "two are rated. Then the mean over responses; its interval allows for clients that "
            "answered more than once. Where the dimensions do not hang together (Cronbach's "
            "alpha below 0.70) only the dimensions are shown."
        ),
        "dimension": _("The share of people whose last rating is 4 or 5 of 5."),
        "ces": _(
            "The mean of the last ratings of ease from 1 to 7; beside it the share of 5 to 7."
        ),
        "response_rate": _(
            "People who completed, or answered enough, divided by everybody whose invitation was "
            "sent (RR2 of AAPOR). Opens and clicks are no answers."
        ),
        "client_response_rate": _("Clients with a usable answer divided by the clients invited."),
        "coverage_exposure": _(
            "What is committed to the clients that answered, divided by what is committed to all."
        ),
        "cei": _(
            "The weighted mean of five components on 0 to 100: sign-ins, pages, clicks on "
            "messages, products used and meetings. A missing component takes its weight along; "
            "recent activity counts more than old."
        ),
        "health": _("A weighted mean of votes, satisfaction and engagement, under its ceilings."),
        "silent": _("What is committed to clients that have said nothing for 12 months."),
    }
    return rules.get(metric) or rules.get(family, "")


def _family(metric: str) -> str:
    if metric.removeprefix("csat_") in DIMENSIONS:
        return "dimension"
    if metric in ENGAGEMENT:
        return "cei"
    if metric in {"health", "client_score"}:
        return "health"
    return "silent" if metric == "silent_exposure" else metric


def _numbers(fig: Figure) -> Iterable[Line]:
    """The numbers put in, by their names; nothing of a figure that is withheld."""
    names = words.numbers()
    for key, value in fig.detail.items():
        text = _plain(value)
        if text:
            yield Line(names.get(key, key), text)


def _plain(value: Any) -> str:
    """A number, a list of numbers or a word; what is deeper has a place of its own."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return formats.number(value)
    if isinstance(value, float):
        return formats.number(value, 4)
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [_plain(part) for part in value]
        return " · ".join(parts) if all(parts) else ""
    return ""


def _excluded(fig: Figure, window: Bounds, where: Where) -> list[Line]:
    item = item_of(fig.metric)
    if not item:
        return []
    found = exclusions.of(item, window, fig.population, where)
    rows = [
        (_("responses received"), found.received),
        (_("tests and previews"), found.test),
        (_("corrected: the newer response counts"), found.corrected),
        (_("retracted"), found.retracted),
        (_("this question was not asked"), found.not_asked),
        (_("skipped, or too few dimensions"), found.skipped),
        (_("not applicable"), found.not_applicable),
        (_("asked on another scale: a series of its own"), found.other_scale),
        (_("invalid: outside the scale"), found.invalid),
        (
            _("replaced by a later answer of the same person"),
            found.replaced(fig.n),
        ),
        (_("counted"), fig.n),
    ]
    return [Line(label, formats.number(count)) for label, count in rows]


def _parameters(fig: Figure) -> list[Line]:
    """The values of the parameter set that this figure depends on."""
    kept = ParameterSet.objects.filter(key=fig.parameter_set).first()
    values: Mapping[str, Any] = kept.values if kept else {}
    sections = {"gate", "periods", *_SETS.get(_set_of(fig.metric), ())}
    names = naming.parameters()
    return [
        Line(names.get(f"{section}.{name}", name), _parameter(value), f"{section}.{name}")
        for section in sorted(sections & set(values))
        for name, value in sorted(values[section].items())
    ]


def _parameter(value: Any) -> str:
    if isinstance(value, list):
        return " · ".join(_parameter(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _set_of(metric: str) -> str:
    if metric in {"recommend_mean", "client_label"} or metric.startswith("nps"):
        return "nps"
    if metric in {"response_rate", "client_response_rate", "coverage_exposure"}:
        return "rate"
    family = _family(metric)
    return "csat" if family == "dimension" else family


def heaviest(
    fig: Figure, viewer: User | ApiKey, *, window: Bounds, where: Where, at: datetime
) -> list[Line]:
    """The largest weights of a weighted figure, named as far as the viewer may see the client."""
    if fig.metric != "nps_exposure" or fig.gate:
        return []
    votes = answers.sums(window, fig.population, where=where)
    day = periods.local_date(min(window.end - _SECOND, at), settings.TIME_ZONE)
    amounts = exposure.at([day])[day].of(votes.ids)
    total = float(amounts.sum())
    order = np.lexsort((votes.ids, -amounts))[:_HEAVIEST]
    kept = [(int(votes.ids[place]), float(amounts[place])) for place in order if amounts[place]]
    mine = Client.objects.visible_to(viewer).filter(pk__in=[pk for pk, _amount in kept])
    known = {client.pk: client.name for client in mine}
    hidden = _("a client outside your scope")
    return [Line(known.get(pk, hidden), formats.share(amount / total)) for pk, amount in kept]
