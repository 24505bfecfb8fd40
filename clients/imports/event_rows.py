"""The kinds `client_events` and `touchpoints`: what happened, each thing once."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from clients.imports import cells, columns
from clients.imports.cells import Column
from clients.imports.fact_rows import FactKind
from clients.imports.kinds import Row
from clients.imports.reporting import Report, Say
from clients.models import ClientEvent, Touchpoint

MOST = 2**31 - 1


class ClientEventKind(FactKind):
    """Events of a client that belong to no case, by their number at the source."""

    name = "client_events"
    title_zh, title_en = "客户事件", "Client events"
    key = ("external_id",)
    model = ClientEvent
    shape: ClassVar = (
        Column(
            "external_id",
            "事件编号",
            "Event number",
            cells.text(120),
            "external_id",
            needed=True,
        ),
        columns.CLIENT,
        columns.CONTACT,
        Column(
            "event",
            "事件",
            "Event",
            cells.lookup("client_events", _("an event of clients")),
            "event",
            needed=True,
        ),
        Column(
            "occurred_at",
            "发生时间",
            "Occurred at",
            cells.moment,
            "occurred_at",
            needed=True,
            doubt=cells.ahead,
        ),
    )


class TouchpointKind(FactKind):
    """Engagement events; what has been recorded under a number stays as it is."""

    name = "touchpoints"
    title_zh, title_en = "互动事件", "Touchpoints"
    key = ("event_id",)
    repeats = True
    model = Touchpoint
    shape: ClassVar = (
        Column(
            "event_id",
            "事件编号",
            "Event number",
            cells.text(160),
            "event_id",
            needed=True,
        ),
        columns.CLIENT,
        columns.CONTACT,
        Column(
            "kind",
            "互动类型",
            "Kind",
            cells.code(*Touchpoint.Kind.values),
            "kind",
            needed=True,
        ),
        Column(
            "at",
            "时间",
            "At",
            cells.moment,
            "at",
            needed=True,
            doubt=cells.ahead,
        ),
        Column("quantity", "次数", "Quantity", cells.whole(0, MOST), "quantity", clearable=False),
        Column(
            "duration_s", "时长（秒）", "Duration in seconds", cells.whole(0, MOST), "duration_s"
        ),
        columns.PRODUCT,
        Column("source", "来源", "Source", cells.text(60), "source", blank=""),
    )

    def _kept(self, row: Row, item: Any) -> tuple[int, int] | None:
        """A second report is never taken, so its client is not held against the first one's."""
        return None

    def _alter(self, row: Row, item: Any, values: dict[str, Any], report: Report) -> None:
        """The same event again is a duplicate, whatever the second report says of it."""
        other = [name for name, value in values.items() if getattr(item, name) != value]
        if other:
            report.skipped += 1
            say = Say(_("This event is recorded already; the other report of it was left out."))
            report.warn(row.number, "event_id", row.cell("event_id"), say)
        else:
            report.unchanged += 1
