"""What every page of one client carries in its head, and what the tabs count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.utils import timezone
from django.utils.translation import gettext as _

from bank import formats
from bank.models import User
from clients.models import Client, Freeze, Touchpoint
from cxportal.queries import (
    activity,
    contacts,
    engagement,
    engagement_words,
    lending,
    people,
    responses,
    stages,
    standing,
)
from cxportal.queries.stages import Clockwork, Progress
from metrics.queries import ENGAGEMENT, Figure, several
from surveys import governance
from surveys.models import Invitation

# Population and period: relationship and transaction surveys of a year, engagement of 90 days.
YEARLY, CASES = ("relational", "rolling12m"), ("transactional", "rolling12m")
RECENT = ("relational", "rolling90")
LINES = 100
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Dossier:
    """One client as one viewer may see it; every part is read at most once."""

    client: Client
    viewer: User
    at: datetime

    @property
    def may_log(self) -> bool:
        """Whether the viewer meets clients."""
        return contacts.may_log(self.viewer)

    @cached_property
    def _stored(self) -> dict[tuple[str, str], dict[str, Figure]]:
        return several("client", self.client.pk, keys=[YEARLY, CASES, RECENT])

    @property
    def figures(self) -> dict[str, Figure]:
        """The client's own figures: what was said in a year, and engagement of 90 days."""
        recent = self._stored[RECENT]
        return self._stored[YEARLY] | {name: recent[name] for name in ENGAGEMENT}

    @property
    def transactional(self) -> dict[str, Figure]:
        """What was said in surveys about single cases; never pooled with the others."""
        return self._stored[CASES]

    @property
    def scores(self) -> list[tuple[str, Figure, str]]:
        """The figures of the card beside recommendation: label, figure, and what it stands on."""
        labels = {
            "csat": _("CSAT, composite"),
            "cei": _("Engagement (CEI)"),
            "health": _("Relationship health"),
            "client_score": _("Composite client score"),
        }
        return [
            (label, self.figures[name], self._base(self.figures[name]))
            for name, label in labels.items()
        ]

    @staticmethod
    def _base(fig: Figure) -> str:
        """Why there is no figure, else its ceiling or the size of its base."""
        if not fig.shown:
            return engagement_words.reason(fig.gate)
        ceiling = engagement_words.ceiling(fig.detail.get("ceiling") or "")
        return ceiling or (formats.sample(fig.n) if fig.n else "")

    @property
    def cei_before(self) -> str:
        """The index of the window before, in words."""
        return engagement.headline(self.figures)

    @cached_property
    def lines(self) -> list[responses.Line]:
        """The newest responses as lines of a list."""
        rows = responses.found(self.viewer, responses.Filters(client=self.client.code))
        return responses.lines(responses.with_answers(rows)[:LINES], self.viewer)

    @cached_property
    def satisfied(self) -> dict[str, dict[str, int]]:
        """Counts of satisfied answers for bases too small for a share."""
        return responses.satisfied(self.lines, self.at - YEAR)

    @cached_property
    def rules(self) -> governance.Book:
        """The rules of asking, with the calendar of working days."""
        return governance.book()

    @cached_property
    def people(self) -> list[people.Person]:
        """The contacts who are still there."""
        return people.of(self.client, self.lines, at=self.at, rules=self.rules)

    @property
    def rated(self) -> int:
        """How many of them have rated."""
        return sum(person.answered for person in self.people)

    @cached_property
    def sent(self) -> list[Invitation]:
        """Invitations of the last year."""
        return people.silent(self.client, self.at - YEAR)

    @cached_property
    def works(self) -> Clockwork:
        """Stages and calendar."""
        return stages.clockwork(self.at, self.rules.calendar)

    @cached_property
    def progress(self) -> list[Progress]:
        """Every case with its steps, the newest first."""
        cases = self.client.cases.select_related("client", "product").order_by("-opened_on", "-pk")
        return stages.progress_of(list(cases), self.works)

    @property
    def open_cases(self) -> int:
        """Cases that are not closed."""
        return sum(item.case.closed_on is None for item in self.progress)

    @cached_property
    def book(self) -> lending.Book:
        """Running facilities and their sums."""
        return lending.book(self.client, timezone.localdate(self.at))

    @cached_property
    def touches(self) -> list[Touchpoint]:
        """The newest contacts of two people."""
        return activity.touches(self.client)

    @property
    def met(self) -> Touchpoint | None:
        """The newest of them."""
        return self.touches[0] if self.touches else None

    @property
    def met_in_words(self) -> str:
        """What it was, with whom and how long."""
        return activity.met(self.met) if self.met else ""

    @cached_property
    def freezes(self) -> Sequence[Freeze]:
        """When and why the client was to be left alone."""
        return list(self.client.freezes.order_by("started_at", "pk"))

    @cached_property
    def standing(self) -> standing.Standing:
        """How the experience stands, with the rules that fired."""
        now = [row for row in self.freezes if row.ended_at is None]
        return standing.of(self.lines, self.progress, now, at=self.at)

    @cached_property
    def events(self) -> list[activity.Event]:
        """Everything that happened, newest first."""
        return activity.of(
            self.progress, self.works, self.touches, self.freezes, self.lines, self.sent
        )

    @property
    def as_of(self) -> datetime | None:
        """When the newest figure was made."""
        known = [fig.as_of for fig in self.figures.values() if fig.as_of]
        return max(known, default=None)
