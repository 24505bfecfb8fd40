"""Campaigns as the portal shows them: the list with its bars, and what came of one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, Min, OuterRef, Q
from django.db.models.functions import TruncDate

from bank.models import Team, User
from cxportal import charts
from cxportal.queries import overview, responses
from metrics import forms, slicing
from metrics.models import Scope
from metrics.queries import METRICS, Figure
from metrics.slicing import asking
from metrics.slicing.asking import Ask
from metrics.windows import WHOLE
from surveys import attribution, progress, queries, words
from surveys.models import Answer, Campaign, Delivery, Invitation, Question, Response
from surveys.queries import Funnel

FAILED = (Delivery.State.FAILED, Delivery.State.BOUNCED, Delivery.State.UNKNOWN)
LISTED = 50
COMMENTS = 5
TONES = {
    Campaign.Status.DRAFT: "o",
    Campaign.Status.SCHEDULED: "dai",
    Campaign.Status.SENDING: "dai",
    Campaign.Status.PAUSED: "hu",
    Campaign.Status.COLLECTING: "qing",
    Campaign.Status.CLOSED: "o",
    Campaign.Status.STOPPED: "zhu",
    Campaign.Status.FAILED: "zhu",
}
_BESIDE = ("nps", "response_rate")


@dataclass(frozen=True)
class Part:
    """One piece of the funnel's bar, in percent of those planned."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True)
class Line:
    """One campaign in the list: its funnel in the viewer's scope, its figures as a whole."""

    campaign: Campaign
    tone: str
    funnel: Funnel
    parts: list[Part]
    nps: Figure | None
    rate: Figure | None


@dataclass(frozen=True)
class Share:
    """How many of one team or language were sent a mail, opened the survey, completed it."""

    label: str
    sent: int
    opened: int
    completed: int
    row: overview.TeamRow | None = None


@dataclass(frozen=True)
class Teams:
    """The teams that were asked, and the axis on which their scores lie."""

    shares: list[Share]
    ticks: list[charts.Tick]

    @property
    def drawn(self) -> bool:
        """Whether any team has a score that may be seen."""
        return any(share.row and share.row.whisker for share in self.shares)


@dataclass(frozen=True)
class Failure:
    """A mail that did not arrive, as far as anybody knows."""

    delivery: Delivery
    state: str
    reason: str


def tone(campaign: Campaign) -> str:
    """The colour of a status; the word stands in it."""
    return TONES[Campaign.Status(campaign.status)]


def lines(campaigns: Sequence[Campaign], viewer: User, *, at: datetime) -> list[Line]:
    """The campaigns of a page; a number of queries that does not depend on how many."""
    counted = queries.funnels(campaigns, viewer=viewer)
    figures = _figures(campaigns, viewer, at=at)
    return [
        Line(
            campaign=one,
            tone=tone(one),
            funnel=counted[one.pk],
            parts=_parts(counted[one.pk]),
            nps=figures.get((one.pk, "nps")),
            rate=figures.get((one.pk, "response_rate")),
        )
        for one in campaigns
    ]


def figures(campaign: Campaign, viewer: User, *, at: datetime) -> dict[str, Figure]:
    """Every figure of a campaign as a whole, after the gate."""
    rows = slicing.rows(_ask(campaign, at), None, viewer=viewer, at=at)
    return {row.figure.metric: row.figure for row in rows[: len(rows)]}


def by_team(campaign: Campaign, viewer: User, *, at: datetime) -> Teams:
    """The teams whose clients were asked: counts in scope, and the score where it may be seen."""
    counts = _counts(campaign, viewer, "client__team")
    teams = {team.pk: team for team in Team.objects.filter(pk__in=[pk for pk in counts if pk])}
    ask = replace(_ask(campaign, at), metrics=("nps",), group_by="team")
    rows = slicing.rows(ask, forms.units(ask, viewer), viewer=viewer, at=at)
    scores = {str(row.slice["team"]): row.figure for row in rows}
    known = {pk: scores[team.code] for pk, team in teams.items() if team.code in scores}
    on = overview.shared_domain(list(known.values()))
    drawn = {row.team.pk: row for row in overview.team_rows(list(teams.values()), known, on, None)}
    found = [
        Share(teams[pk].name if pk in teams else "–", *count, row=drawn.get(pk))
        for pk, count in counts.items()
    ]
    found.sort(key=lambda share: (-share.sent, share.label))
    return Teams(found, charts.whisker_ticks(on))


def by_language(campaign: Campaign, viewer: User) -> list[Share]:
    """The languages of the mails, by counts in scope."""
    names = words.languages()
    counts = _counts(campaign, viewer, "language")
    return [Share(names.get(code, code), *counts[code]) for code in sorted(counts, reverse=True)]


def answered_by_day(campaign: Campaign, viewer: User) -> dict[date, int]:
    """How many in scope answered on each day of the bank."""
    days = (
        _sent(campaign, viewer)
        .filter(answered_at__isnull=False)
        .annotate(day=TruncDate("answered_at", tzinfo=settings.ZONE))
        .values_list("day")
        .annotate(Count("pk"))
        .order_by("day")
    )
    return dict(days)


def sent_and_reminded(campaign: Campaign, viewer: User) -> tuple[date | None, date | None]:
    """The days of the first mail and of the first reminder."""
    found = Delivery.objects.filter(invitation__in=_sent(campaign, viewer).values("pk")).aggregate(
        first=Min("sent_at", filter=Q(kind=Delivery.Kind.INVITATION)),
        reminder=Min("sent_at", filter=Q(kind=Delivery.Kind.REMINDER)),
    )
    first, reminder = (_day(found[name]) for name in ("first", "reminder"))
    return first, reminder


def not_asked(found: Funnel) -> list[tuple[str, int]]:
    """Why people were not asked, in words, the most frequent reason first."""
    names = words.reasons()
    rows = [(names.get(code, code), count) for code, count in found.skipped.items()]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def failures(campaign: Campaign, viewer: User) -> list[Failure]:
    """The last mails in scope that failed, bounced, or of which nobody knows."""
    theirs = Invitation.objects.visible_to(viewer).filter(campaign=campaign)
    rows = (
        Delivery.objects.filter(invitation__in=theirs.values("pk"), state__in=FAILED)
        .select_related("invitation__contact", "invitation__client")
        .defer("invitation__variables")
        .order_by("-settled_at", "-pk")[:LISTED]
    )
    kinds = progress.reasons()
    return [Failure(row, str(row.get_state_display()), _why(row, kinds)) for row in rows]


def comments(campaign: Campaign, viewer: User) -> list[responses.Line]:
    """The last words that this viewer may read."""
    said = Answer.objects.filter(
        response=OuterRef("pk"), question__type=Question.Type.TEXT
    ).exclude(text="")
    rows = Response.objects.visible_to(viewer).standing().filter(invitation__campaign=campaign)
    seen = rows.filter(attribution.may_see(viewer)).filter(Exists(said))
    found = responses.with_answers(seen).order_by("-submitted_at", "-pk")[:COMMENTS]
    return responses.lines(found, viewer)


def stacked(fig: Figure) -> list[charts.Part]:
    """Clients by label, as the bar under a score draws them."""
    names = ("detractor", "passive", "promoter")
    return charts.stacked([int(fig.detail.get(name, 0)) for name in names])


def _ask(campaign: Campaign, at: datetime) -> Ask:
    """The question for everything a campaign is measured by, over its whole life."""
    return Ask(
        metrics=METRICS[Scope.CAMPAIGN],
        span=asking.Span(WHOLE, asking.whole_life(at)),
        population=str(campaign.questionnaire.kind),
        filters=asking.Filters(campaign=campaign),
    )


def _figures(
    campaigns: Sequence[Campaign], viewer: User, *, at: datetime
) -> Mapping[tuple[int, str], Figure]:
    ask = forms.read({"group_by": "campaign"}, viewer=viewer, at=at)
    units: Any = forms.units(ask, viewer)
    units = units.filter(pk__in=[one.pk for one in campaigns])
    rows = slicing.rows(ask, units, viewer=viewer, at=at)
    return {
        (int(row.slice["campaign"]), row.figure.metric): row.figure
        for row in rows[: len(rows)]
        if row.figure.metric in _BESIDE
    }


def _sent(campaign: Campaign, viewer: User) -> Any:
    theirs = Invitation.objects.visible_to(viewer)
    return theirs.filter(campaign=campaign, sent_at__isnull=False)


def _counts(campaign: Campaign, viewer: User, by: str) -> dict[Any, tuple[int, int, int]]:
    rows = (
        _sent(campaign, viewer)
        .values_list(by)
        .annotate(
            sent=Count("pk"),
            opened=Count("pk", filter=Q(opened_at__isnull=False) | Q(answered_at__isnull=False)),
            completed=Count("pk", filter=Q(answered_at__isnull=False)),
        )
        .order_by(by)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _parts(found: Funnel) -> list[Part]:
    """Completed, opened, sent, waiting, and the rest, left to right."""
    if not found.planned:
        return []
    counts = {
        "done": found.completed,
        "open": found.opened - found.completed,
        "sent": found.sent - found.opened,
        "wait": found.waiting,
        "bad": found.failed + found.unknown,
        "held": sum(found.skipped.values()),
    }
    parts, x = [], 0.0
    for kind, count in counts.items():
        width = 100 * max(count, 0) / found.planned
        if width:
            parts.append(Part(kind, round(x, 2), round(width, 2)))
        x += width
    return parts


def _why(row: Delivery, kinds: Mapping[str, str]) -> str:
    if row.state == Delivery.State.UNKNOWN:
        return row.last_error
    return kinds[progress.kind(f"{row.last_error} {row.relay_reply}")]


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(settings.ZONE).date() if moment else None
