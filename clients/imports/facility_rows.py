"""The kind `facilities`: what is lent now, and what was lent on earlier days."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from bank.models import ApiKey, User
from clients.imports import cells, columns
from clients.imports.cells import Column
from clients.imports.fact_rows import FactKind
from clients.imports.kinds import BATCH, Row
from clients.imports.lookup import Lookup
from clients.imports.reporting import Report, Say
from clients.models import Facility, FacilityBalance

_BLOCK = 5_000
Pair = tuple[Decimal | None, Decimal | None]  # limit, drawn


class FacilityKind(FactKind):
    """Facilities by number. The newest day decides; an earlier day is history and no more."""

    name = "facilities"
    title_zh, title_en = "额度", "Facilities"
    key = ("number", "as_of")
    model = Facility
    shape: ClassVar = (
        Column(
            "number",
            "额度编号",
            "Facility number",
            cells.identifier(64),
            "number",
            needed=True,
        ),
        columns.CLIENT,
        columns.case(),
        Column("kind", "额度类型", "Kind", cells.text(60), "kind", blank=""),
        *columns.money("limit", "授信额度", "Limit"),
        *columns.money("drawn", "已用金额", "Drawn"),
        columns.CURRENCY,
        Column("starts_on", "起始日", "Starts on", cells.day, "starts_on"),
        Column("ends_on", "到期日", "Ends on", cells.day, "ends_on"),
        Column("as_of", "数据日期", "As of", cells.day, "as_of", needed=True),
    )

    def __init__(self) -> None:
        super().__init__()
        self.queued: set[str] = set()
        self.known: dict[tuple[str, date], Pair] = {}  # stored balances
        self.balances: dict[tuple[str, date], Pair] = {}  # balances to be written

    def plan(self, rows: list[Row], look: Lookup, report: Report) -> None:
        """Day by day, so that a file may hold several days of one facility in any order."""
        super().plan(sorted(rows, key=lambda row: row.values["as_of"]), look, report)

    def prepare(self, rows: list[Row], look: Lookup, report: Report) -> None:
        """Know the balances of the facilities that the file names."""
        numbers = list(self.stored)
        for start in range(0, len(numbers), _BLOCK):
            found = FacilityBalance.objects.filter(
                facility__number__in=numbers[start : start + _BLOCK]
            )
            for number, as_of, limit, drawn in found.values_list(
                "facility__number", "as_of", "limit", "drawn"
            ):
                self.known[number, as_of] = (limit, drawn)

    def fault(self, row: Row, item: Any, look: Lookup) -> tuple[str, Say] | None:
        """The end not before the beginning; history in the currency the facility is kept in."""
        currency = row.values.get("currency")
        if self._is_past(row, item):
            if currency in (None, item.currency):
                return None
            say = Say(_("The facility is kept in %(currency)s."), currency=item.currency)
            return "currency", say
        starts = row.values.get("starts_on", item.starts_on if item else None)
        ends = row.values.get("ends_on", item.ends_on if item else None)
        if starts and ends and ends < starts:
            return "ends_on", Say(_("A facility cannot end before it starts."))
        return None

    def write(self, *, at: datetime, by: User | ApiKey | None) -> None:
        """Facilities first, then what each held on which day."""
        super().write(at=at, by=by)
        stored = {item.number: item for item in (*self.stored.values(), *self.fresh)}
        rows = [
            FacilityBalance(facility=stored[number], as_of=as_of, limit=limit, drawn=drawn)
            for (number, as_of), (limit, drawn) in self.balances.items()
        ]
        FacilityBalance.objects.bulk_create(
            rows,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["facility", "as_of"],
            update_fields=["limit", "drawn"],
        )

    def touched(self) -> Iterable[int]:
        """Also clients of whom only the past has changed."""
        numbers = {number for number, _as_of in self.balances}
        return {*super().touched(), *(self.stored[number].client_id for number in numbers)}

    def _add(self, row: Row, values: dict[str, Any], report: Report) -> None:
        super()._add(row, values, report)
        self._doubt(row, (values.get("limit"), values.get("drawn")), report)
        self._note(row, (values.get("limit"), values.get("drawn")))

    def _alter(self, row: Row, item: Any, values: dict[str, Any], report: Report) -> None:
        """A day before the newest one changes nothing but its own balance."""
        changed: dict[str, tuple[Any, Any]] = {}
        if self._is_past(row, item):
            limit, drawn = self._balance(row.values["number"], row.values["as_of"]) or (None, None)
            pair = (values.get("limit", limit), values.get("drawn", drawn))
        else:
            self._keep_newest(item)
            changed = self._set(row, item, values, report)
            pair = (item.limit, item.drawn)
        self._doubt(row, pair, report)
        if self._note(row, pair) or changed:
            report.changed += 1
            told = self._told(row, changed)
            report.change(row.number, self.key_of(row), lambda: told)
        else:
            report.unchanged += 1

    def _set(
        self, row: Row, item: Any, values: dict[str, Any], report: Report
    ) -> dict[str, tuple[Any, Any]]:
        changed = {
            name: (getattr(item, name), value)
            for name, value in values.items()
            if getattr(item, name) != value
        }
        if "currency" in changed:
            say = Say(_("Balances of earlier days are read in the new currency too."))
            report.warn(row.number, "currency", row.cell("currency"), say)
        if changed:
            self.noted.update({item.client_id, *changed.get("client_id", ())})
        for name, (_old, value) in changed.items():
            setattr(item, name, value)
        if changed and item.pk is not None:
            self.fields.update(changed)
            if item.number not in self.queued:
                self.queued.add(item.number)
                self.altered.append(item)
        return changed

    def _keep_newest(self, item: Any) -> None:
        """What was the newest day until now is history from now on."""
        if self._balance(item.number, item.as_of) is None:
            self.balances[item.number, item.as_of] = (item.limit, item.drawn)

    def _is_past(self, row: Row, item: Any) -> bool:
        return item is not None and row.values["as_of"] < item.as_of

    def _balance(self, number: str, as_of: date) -> Pair | None:
        return self.balances.get((number, as_of), self.known.get((number, as_of)))

    def _doubt(self, row: Row, pair: Pair, report: Report) -> None:
        """Amounts that can hardly be meant: they are taken as they are, and told."""
        limit, drawn = pair
        if limit is not None and limit < 0:
            say = Say(_("A limit below 0 counts as 0."))
            report.warn(row.number, "limit", limit, say)
        elif limit is not None and drawn is not None and drawn > limit:
            say = Say(_("More is drawn than the limit of %(limit)s."), limit=limit)
            report.warn(row.number, "drawn", drawn, say)

    def _note(self, row: Row, pair: Pair) -> bool:
        """Remember the balance of a day; say whether it is another than before."""
        number, as_of = row.values["number"], row.values["as_of"]
        before = self._balance(number, as_of)
        if before == pair or (before is None and pair == (None, None)):
            return False
        self.balances[number, as_of] = pair
        return True
