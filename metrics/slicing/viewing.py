"""Stored figures as one viewer may see them: less what that viewer knows, nothing is told."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from bank import scope
from bank.models import ApiKey, User
from clients.models import Client
from metrics.facts import answers, frames
from metrics.facts.frames import Frame
from metrics.facts.tables import Slot, Table
from metrics.facts.where import By, Cut, Where
from metrics.formulas import periods
from metrics.models import Scope
from metrics.queries import Figure
from metrics.slicing import gating
from metrics.slicing.asking import whole_life
from metrics.slicing.singles import column, promises
from metrics.windows import WHOLE

_UNITS = frozenset({str(Scope.BANK), str(Scope.TEAM), str(Scope.CAMPAIGN)})
Read = dict[Slot, Table]


def for_viewer(figures: Sequence[Figure], *, viewer: User | ApiKey, at: datetime) -> list[Figure]:
    """The figures of one page, those withheld that less the viewer's own answers tell a few.

    One read for the bank, its teams and lines of business, and one more each for stages and
    campaigns where there are some; none for who sees everything.
    """
    judged = [fig for fig in figures if _is_judged(fig)]
    if scope.sees_all(viewer) or not judged:
        return list(figures)
    keys = sorted({fig.period for fig in judged})
    mine = list(Client.objects.visible_to(viewer).values_list("pk", flat=True))
    known = Known(keys, mine, viewer, at)
    return [known.guard(fig) if _is_judged(fig) else fig for fig in figures]


def _is_judged(fig: Figure) -> bool:
    return not fig.gate and fig.scope in _UNITS and bool(column(fig.metric))


class Known:
    """What a viewer sees one by one in some periods, read as far as it is needed."""

    def __init__(
        self, keys: Sequence[str], clients: list[int], viewer: User | ApiKey, at: datetime
    ) -> None:
        self._place = {key: place for place, key in enumerate(keys)}
        self._windows = [
            whole_life(at)
            if key == WHOLE
            else periods.parse(key, as_of=at, zone=settings.TIME_ZONE)
            for key in keys
        ]
        self._clients, self._where = clients, Where(promises=promises(viewer))
        self._reads: dict[str, Read] = {}
        self._frame: Frame | None = None

    def guard(self, fig: Figure) -> Figure:
        """The figure, withheld where it would tell the few answers not seen."""
        return gating.for_viewer(fig, {fig.metric: self._seen(fig)})

    def _seen(self, fig: Figure) -> int:
        pairs = dict(pair.split("=") for pair in fig.slice.split("&") if pair)
        by: By = ""
        part: int | str = ""
        if "stage" in pairs:
            by, part = "stage", pairs["stage"]
        elif fig.scope == Scope.CAMPAIGN:
            by, part = "campaign", fig.scope_id
        table = self._read(by).get(Slot(self._place[fig.period], fig.population, part))
        if table is None:
            return 0
        if fig.scope == Scope.TEAM or "segment" in pairs:
            team = fig.scope_id if fig.scope == Scope.TEAM else None
            frame = self._frame = self._frame or frames.frame()
            inside = frame.within(Where(team=team, segment=pairs.get("segment")))
            table = table.of(frame.ids[inside])
        return table.count(column(fig.metric))

    def _read(self, by: By) -> Read:
        if by not in self._reads:
            cut = Cut(self._where, self._clients, None, by)
            self._reads[by] = answers.many(self._windows, cut)
        return self._reads[by]
