"""What the kinds about one client's facts have in common: whose they are, and who may say so."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from clients import touchpoints
from clients.imports.kinds import RecordKind, Row
from clients.imports.lookup import Lookup
from clients.imports.reporting import Report, Say, shown

_BLOCK = 5_000


class FactKind(RecordKind):
    """One row is one fact of one client; figures are made from it."""

    measured: ClassVar[frozenset[str] | None] = None

    def check(self, row: Row, item: Any, look: Lookup, report: Report) -> bool:
        """Needed cells, no amount given in two ways, and nothing of somebody else's client."""
        if not super().check(row, item, look, report):
            return False
        fault = (
            self._ours(row)
            or self._twice(row)
            or self._foreign(row, item)
            or self.fault(row, item, look)
        )
        if fault is None:
            return True
        column, say = fault
        report.error(row.number, column, row.cell(column), say)
        return False

    def fault(self, row: Row, item: Any, look: Lookup) -> tuple[str, Say] | None:
        """What else is wrong with a row: the column, and a sentence."""
        return None

    def derived(self, row: Row, look: Lookup) -> dict[str, Any]:
        """The contact, out of the pair that its number stands for."""
        if "contact_external_id" not in row.values:
            return {}
        pair = row.values["contact_external_id"]
        return {"contact_id": pair[0] if pair else None}

    def client_of(self, row: Row, item: Any) -> int | None:
        """The client this row is about, as it will be stored."""
        found: int | None = row.values.get("client_code") or (item and item.client_id)
        return found

    def _told(self, row: Row, changed: dict[str, tuple[Any, Any]]) -> dict[str, tuple[str, str]]:
        told = super()._told(row, changed)
        if "contact_id" in changed:
            numbers = {pk: number for number, (pk, _client) in self.look.contacts.items()}
            old = numbers.get(changed["contact_id"][0], "")
            told["contact_external_id"] = (old, shown(row.cell("contact_external_id")))
        return told

    def _ours(self, row: Row) -> tuple[str, Say] | None:
        """The portal numbers its own events; no file may speak for it."""
        number = row.values.get(self.key[0])
        if self.repeats and isinstance(number, str) and number.startswith(touchpoints.OWN):
            say = Say(_("Numbers that begin like this are the portal's own."))
            return self.key[0], say
        return None

    def _twice(self, row: Row) -> tuple[str, Say] | None:
        for name in row.values:
            plain = name.removesuffix("_wan")
            if plain != name and plain in row.values:
                return name, Say(_("Give the amount in one of the two columns, not in both."))
        return None

    def _foreign(self, row: Row, item: Any) -> tuple[str, Say] | None:
        """A person of another client."""
        pair = row.values.get("contact_external_id")
        if pair and pair[1] != self.client_of(row, item):
            return "contact_external_id", Say(_("This person belongs to another client."))
        kept = self._kept(row, item) if item is not None and "client_code" in row.values else None
        if kept and kept[1] != self.client_of(row, item):
            return "client_code", Say(_("This person belongs to another client."))
        return None

    def _kept(self, row: Row, item: Any) -> tuple[int, int] | None:
        """The person a stored record names and the row leaves as it is."""
        contact = getattr(item, "contact_id", None)
        if contact is None or "contact_external_id" in row.values:
            return None
        return contact, self.look.contact_clients.get(contact, 0)


class DatedKind(FactKind):
    """Facts that have no number of their own: a client and a day, and perhaps more, find them."""

    def locate(self, row: Row) -> Any:
        """The values of the natural key."""
        return self.identity(row)

    def existing(self, keys: Iterable[Any]) -> dict[Any, Any]:
        """The stored records of the first part of these keys."""
        wanted, found = sorted({key[0] for key in keys}), {}
        fields = self.unique()
        manager: Any = self.model._meta.default_manager
        for start in range(0, len(wanted), _BLOCK):
            block = wanted[start : start + _BLOCK]
            for item in manager.filter(**{f"{fields[0]}__in": block}).iterator(_BLOCK):
                found[tuple(getattr(item, name) for name in fields)] = item
        return found

    def unique(self) -> tuple[str, ...]:
        """The fields of the record that its natural key fills."""
        by_name = {column.name: column.field for column in self.columns()}
        return tuple(by_name[name] for name in self.key)
