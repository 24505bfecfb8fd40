"""The kind `parties`: who takes part in a case, and as what."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from clients.imports import cells, columns
from clients.imports.cells import Column
from clients.imports.fact_rows import DatedKind
from clients.imports.kinds import BATCH, Row
from clients.imports.lookup import Lookup
from clients.imports.reporting import Say
from clients.models import Party


class PartyKind(DatedKind):
    """Parties by case, role, and the client or, for others, the name."""

    name = "parties"
    title_zh, title_en = "参与方", "Parties"
    key = ("case_number", "role")
    model = Party
    shape: ClassVar = (
        columns.case(needed=True),
        Column(
            "role",
            "角色",
            "Role",
            cells.code(*Party.Role.values),
            "role",
            needed=True,
        ),
        Column(
            "client_code",
            "客户编号",
            "Client code",
            cells.lookup("clients", _("a client code")),
            "client_id",
            table="clients",
        ),
        Column("party_name", "名称", "Name of the party", cells.text(300), "name", blank=""),
        columns.CONTACT,
    )

    def identity(self, row: Row) -> tuple[object, ...]:
        """A client of ours is known by its code, anybody else by the name."""
        values = row.values
        client = values.get("client_code")
        name = "" if client else values.get("party_name", "")
        return values["case_number"], values["role"], client, name

    def existing(self, keys: Iterable[Any]) -> dict[Any, Any]:
        """The stored parties of these cases."""
        found = super().existing(keys).values()
        return {
            (item.case_id, item.role, item.client_id, "" if item.client_id else item.name): item
            for item in found
        }

    def unique(self) -> tuple[str, ...]:
        """Both ways of being known."""
        return "case_id", "role", "client_id", "name"

    def client_of(self, row: Row, item: Any) -> int | None:
        """Whose people may be named: the party's own or, for a name, the borrower's."""
        found: int | None = row.values.get("client_code")
        return found or self.look.case_clients.get(row.values["case_number"])

    def owner_of(self, item: Any, look: Lookup) -> int:
        """A party belongs to the client of the case."""
        return look.case_clients.get(item.case_id, 0)

    def fault(self, row: Row, item: Any, look: Lookup) -> tuple[str, Say] | None:
        """Somebody must be named."""
        if row.values.get("client_code") or row.values.get("party_name"):
            return None
        return "party_name", Say(_("A client code or the name of the party is needed."))

    def upsert(self, items: list[Any], fields: set[str]) -> None:
        """Two conditions make a party unique, so the rows are told apart before they are written.

        Imports run one at a time, and nobody else writes parties in bulk.
        """
        fresh = [item for item in items if item.pk is None]
        Party.objects.bulk_create(fresh, batch_size=BATCH)
        changed = [item for item in items if item.pk is not None]
        if changed and fields:
            Party.objects.bulk_update(changed, sorted(fields), batch_size=200)

    def touched(self) -> Iterable[int]:
        """The client of the case, and the party where it is a client of ours."""
        items = [*self.fresh, *self.altered]
        cases = {self.look.case_clients[item.case_id] for item in items}
        return cases | {item.client_id for item in items if item.client_id}

    def _twin(self, item: Any) -> Any:
        return item
