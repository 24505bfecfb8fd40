"""The kind `milestones`: history as it is reported, with what the graph does not allow marked."""

from collections import defaultdict
from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bank.models import ApiKey, User
from clients import cases
from clients.imports import cells
from clients.imports.cells import Column
from clients.imports.kinds import RecordKind, Row
from clients.imports.lookup import Lookup
from clients.imports.reporting import Report, Say
from clients.models import Case, Milestone

_BLOCK = 5_000


class MilestoneKind(RecordKind):
    """Stages entered and milestones reached or planned, by their number at the source."""

    name = "milestones"
    title_zh, title_en = "里程碑", "Milestones"
    key = ("external_id",)
    model = Milestone
    shape: ClassVar = (
        Column(
            "external_id",
            "里程碑编号",
            "Milestone number",
            cells.text(120),
            "external_id",
            needed=True,
        ),
        Column(
            "case_number",
            "业务编号",
            "Case number",
            cells.lookup("case_numbers", _("a case number")),
            needed=True,
        ),
        Column("code", "阶段或里程碑", "Stage or milestone", cells.text(40), "code", needed=True),
        Column("event", "事件", "Event", cells.text(60), "event", blank=""),
        Column("planned_on", "计划日期", "Planned on", cells.day, "planned_on"),
        Column(
            "occurred_at",
            "发生时间",
            "Occurred at",
            cells.moment,
            "occurred_at",
            doubt=cells.ahead,
        ),
        Column("note", "备注", "Note", cells.text(500), "note", blank="", longest=500),
    )

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, int] = {}  # milestone number → row of the file
        self.turned: list[Milestone] = []  # stored entries whose mark changes
        self.moved: list[Case] = []

    def plan(self, rows: list[Row], look: Lookup, report: Report) -> None:
        """Compare row by row, then follow the history of each case that was touched."""
        super().plan(rows, look, report)
        touched = sorted({item.case_id for item in (*self.fresh, *self.altered)})
        self.rows = {row.values["external_id"]: row.number for row in rows}
        for start in range(0, len(touched), _BLOCK):
            self._follow(touched[start : start + _BLOCK], look, report)

    def check(self, row: Row, item: Any, look: Lookup, report: Report) -> bool:
        """Code and event must belong to the kind of case; a number keeps its case and code."""
        if not super().check(row, item, look, report):
            return False
        values = row.values
        case, kind = values.get("case_number") or (item.case_id, "")
        code = values.get("code") or item.code
        if item is not None and (item.case_id, item.code) != (case, code):
            say = Say(_("This number belongs to another case or milestone."))
            report.error(row.number, "external_id", values["external_id"], say)
            return False
        if kind and not look.graph.knows(kind, code):
            say = Say(
                _("This is no stage or milestone of the kind of case “%(kind)s”."), kind=kind
            )
            report.error(row.number, "code", code, say)
            return False
        event = values.get("event")
        if event and event not in look.graph.events:
            report.error(row.number, "event", event, Say(_("This event is not known.")))
            return False
        planned = values.get("planned_on", item.planned_on if item else None)
        occurred = values.get("occurred_at", item.occurred_at if item else None)
        if planned is None and occurred is None:
            say = Say(_("A planned day or the time it happened is needed."))
            report.error(row.number, "occurred_at", "", say)
            return False
        return True

    def owner_of(self, item: Any, look: Lookup) -> int:
        """A milestone belongs to the client of its case."""
        return look.case_clients.get(item.case_id, 0)

    def derived(self, row: Row, look: Lookup) -> dict[str, Any]:
        """The case, out of the pair that its number stands for."""
        pair = row.values.get("case_number")
        return {"case_id": pair[0]} if pair else {}

    def write(self, *, at: datetime, by: User | ApiKey | None) -> None:
        """Milestones, the marks that turned, and the stage each case has reached by them."""
        self.fields |= {"irregular"} if self.altered else set()
        super().write(at=at, by=by)
        Milestone.objects.bulk_update(self.turned, ["irregular"], batch_size=200)
        Case.objects.bulk_update(self.moved, ["stage", "closed_on"], batch_size=200)

    def _follow(self, touched: list[int], look: Lookup, report: Report) -> None:
        """Judge the entries of these cases in the order of time, as they will be stored."""
        graph = look.graph
        kinds = dict(look.case_numbers.values())
        stored: dict[str, Milestone] = {}
        for item in Milestone.objects.filter(case__in=touched, occurred_at__isnull=False):
            stored[item.external_id] = item
        wanted = set(touched)
        ours = {
            item.external_id: item
            for item in (*self.fresh, *self.altered)
            if item.case_id in wanted
        }
        entries: defaultdict[int, list[cases.Entry]] = defaultdict(list)
        for item in (stored | ours).values():
            is_stage = item.code in graph.stages.get(kinds[item.case_id], {})
            if is_stage and item.occurred_at is not None:
                entry = cases.Entry(item.external_id, item.code, item.event, item.occurred_at)
                entries[item.case_id].append(entry)
        last: dict[int, cases.Entry] = {}
        for case, found in entries.items():
            ordered, irregular = cases.follow(graph, kinds[case], found)
            last[case] = ordered[-1]
            self._mark(ordered, irregular, stored, ours, report)
        self._move(last, look)

    def _mark(
        self,
        ordered: list[cases.Entry],
        irregular: set[str],
        stored: dict[str, Milestone],
        ours: dict[str, Milestone],
        report: Report,
    ) -> None:
        for entry in ordered:
            mark = entry.key in irregular
            item = ours.get(entry.key) or stored[entry.key]
            if mark and entry.key in ours:
                say = Say(_("The case model does not have this step; it is recorded and marked."))
                report.warn(self.rows[entry.key], "code", entry.code, say)
            if item.irregular != mark:
                item.irregular = mark
                if entry.key not in ours:
                    self.turned.append(item)

    def _move(self, last: dict[int, cases.Entry], look: Lookup) -> None:
        """The stage of a case follows its latest entry; an end that was reported stays."""
        for case in Case.objects.filter(pk__in=list(last)):
            entry = last[case.pk]
            closed_on = case.closed_on
            if look.graph.stages[case.kind][entry.code]:
                closed_on = max(timezone.localdate(entry.occurred_at), case.opened_on)
            if (case.stage, case.closed_on) != (entry.code, closed_on):
                case.stage, case.closed_on = entry.code, closed_on
                self.moved.append(case)
