"""Under which client a fact counts: a merged one under its successor, from the day of merging."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings

from clients.models import Client
from metrics.facts.where import numbers
from metrics.formulas import periods
from metrics.formulas.periods import Bounds


@dataclass(frozen=True, slots=True)
class Mergers:
    """All mergers: client, successor and the day of merging."""

    rows: tuple[tuple[int, int, date], ...]

    def before(self, day: date) -> dict[int, int]:
        """The last successor of a client merged before this day; a circle ends where it closes."""
        steps = {client: into for client, into, on in self.rows if on < day}
        found = {}
        for client in steps:
            seen, last = {client}, steps[client]
            while last in steps and last not in seen:
                seen.add(last)
                last = steps[last]
            if last != client:
                found[client] = last
        return found

    def on(self, day: date) -> dict[int, int]:
        """The successors that count on a day: the day of merging is the first one."""
        return self.before(day + timedelta(days=1))

    def at_end_of(self, window: Bounds) -> dict[int, int]:
        """The successors that count in a window: those of mergers before its end."""
        return self.before(periods.local_date(window.end, settings.TIME_ZONE))

    def alike(self, windows: Sequence[Bounds]) -> list[tuple[dict[int, int], list[int]]]:
        """Windows by position, those at whose end the same successors count together."""
        groups: dict[tuple[tuple[int, int], ...], list[int]] = {}
        for place, window in enumerate(windows):
            held = tuple(sorted(self.at_end_of(window).items()))
            groups.setdefault(held, []).append(place)
        return [(dict(held), places) for held, places in groups.items()]

    def family(self, client_ids: Iterable[int]) -> list[int]:
        """These clients and all that were ever merged with them, in either direction."""
        near: dict[int, set[int]] = {}
        for client, into, _on in self.rows:
            near.setdefault(client, set()).add(into)
            near.setdefault(into, set()).add(client)
        found, open_ = set(client_ids), list(client_ids)
        while open_:
            more = near.get(open_.pop(), set()) - found
            found |= more
            open_ += more
        return sorted(found)


def known() -> Mergers:
    """The mergers as they are recorded; one query."""
    found = Client.objects.filter(merged_into__isnull=False, merged_on__isnull=False)
    rows = found.order_by("pk").values_list("pk", "merged_into_id", "merged_on")
    return Mergers(tuple((pk, into or 0, on or date.max) for pk, into, on in rows))


def key(column: str, successors: Mapping[int, int]) -> str:
    """The expression of the client under which a row counts."""
    if not successors:
        return column
    cases = " ".join(f"WHEN {int(old)} THEN {int(new)}" for old, new in successors.items())
    return f"CASE {column} {cases} ELSE {column} END"


def chosen(column: str, successors: Mapping[int, int], client_ids: Sequence[int]) -> str:
    """The condition that a row counts under one of these clients."""
    wanted = set(client_ids)
    raw = [one for one in client_ids if one not in successors]
    raw += [old for old, new in successors.items() if new in wanted]
    return f"{column} IN ({numbers(sorted(raw))})"
