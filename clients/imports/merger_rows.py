"""Clients that were merged into another: two columns of the kind `clients`."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from clients.imports.kinds import Row
from clients.imports.lookup import Lookup
from clients.imports.reporting import Say, shown
from clients.models import Client

Merger = tuple[str | None, date | None]  # code of the successor, day


class Mergers:
    """Who was merged into whom, as it is stored and as the file will have it."""

    def __init__(self) -> None:
        self.stored: dict[str, Merger] = {}
        self.known: frozenset[str] = frozenset()
        self.tree: dict[str, str] = {}
        self.planned: dict[str, Merger] = {}
        self.touched: set[int] = set()

    def prepare(self, rows: list[Row], look: Lookup) -> None:
        """Know the mergers so far, if the file speaks of any."""
        if not any({"merged_into_code", "merged_on"} & row.values.keys() for row in rows):
            return
        found = Client.objects.filter(merged_into__isnull=False)
        for code, successor, day in found.values_list("code", "merged_into__code", "merged_on"):
            self.stored[code] = (successor, day)
        self.known = frozenset(look.clients)
        for code, row in {row.values["code"]: row for row in rows}.items():
            self.stored.setdefault(code, (None, None))
            self.tree[code] = self._wanted(row)[0] or ""
        for code, merger in self.stored.items():
            self.tree.setdefault(code, merger[0] or "")

    def fault(self, row: Row, item: Any, in_file: set[str]) -> tuple[str, Say] | None:
        """A successor and a day, both or neither; the successor exists and is another client."""
        if not {"merged_into_code", "merged_on"} & row.values.keys():
            return None
        successor, day = self._wanted(row)
        if bool(successor) != bool(day):
            column = "merged_on" if successor else "merged_into_code"
            return column, Say(_("A merged client needs its successor and the day."))
        if successor and successor not in self.known and successor not in in_file:
            say = Say(_("There is no such client, neither in the portal nor in this file."))
            return "merged_into_code", say
        if self._circles(row.values["code"]):
            return "merged_into_code", Say(_("A client cannot be merged into itself."))
        return None

    def plan(self, row: Row, item: Any) -> dict[str, tuple[str, str]]:
        """Remember a merger that is new; {column: (old, new)}."""
        if not {"merged_into_code", "merged_on"} & row.values.keys():
            return {}
        code = row.values["code"]
        old, new = self.stored[code], self._wanted(row)
        if old == new:
            return {}
        self.planned[code] = new
        pairs = zip(("merged_into_code", "merged_on"), old, new, strict=True)
        return {name: (shown(was or ""), shown(now or "")) for name, was, now in pairs}

    def write(self) -> None:
        """Both columns in one statement: a successor without a day is no merger."""
        if not self.planned:
            return
        codes = {*self.planned, *(code for code, _day in self.planned.values() if code)}
        codes.update(self.stored[code][0] or code for code in self.planned)
        rows = Client.objects.in_bulk(list(codes), field_name="code")
        changed = []
        for code, (successor, day) in self.planned.items():
            item = rows[code]
            item.merged_into_id = rows[successor].pk if successor else None
            item.merged_on = day
            changed.append(item)
        Client.objects.bulk_update(changed, ["merged_into", "merged_on"], batch_size=200)
        self.touched = {item.pk for item in rows.values()}

    def _wanted(self, row: Row) -> Merger:
        successor, day = self.stored.get(row.values["code"], (None, None))
        values = row.values
        return values.get("merged_into_code", successor) or None, values.get("merged_on", day)

    def _circles(self, code: str) -> bool:
        seen, after = {code}, self.tree.get(code)
        while after:
            if after in seen:
                return True
            seen.add(after)
            after = self.tree.get(after)
        return False
