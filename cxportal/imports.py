"""Every kind of import file the portal knows, and one call that reads, checks and applies."""

from datetime import datetime
from pathlib import Path

from bank.models import ApiKey, User
from clients.imports import engine, mapping, reading
from clients.imports.case_rows import CaseRows
from clients.imports.client_rows import ClientKind
from clients.imports.contact_rows import ContactKind
from clients.imports.event_rows import ClientEventKind, TouchpointKind
from clients.imports.facility_rows import FacilityKind
from clients.imports.kinds import Kind
from clients.imports.lending_rows import StatementKind, TransactionKind
from clients.imports.mapping import Map
from clients.imports.milestone_rows import MilestoneKind
from clients.imports.party_rows import PartyKind
from clients.imports.profile_rows import ProfileKind
from clients.imports.reading import Table
from clients.imports.reporting import Report
from metrics import recompute
from surveys.imports.response_rows import ResponseKind

_KINDS: tuple[type[Kind], ...] = (
    ClientKind,
    ContactKind,
    CaseRows,
    MilestoneKind,
    ClientEventKind,
    PartyKind,
    FacilityKind,
    TransactionKind,
    StatementKind,
    ProfileKind,
    TouchpointKind,
    ResponseKind,
)
KINDS: dict[str, type[Kind]] = {kind.name: kind for kind in _KINDS}


def run_file(
    kind: str,
    path: Path,
    *,
    map_path: Path | None = None,
    apply: bool,
    at: datetime,
    by: User | ApiKey | None = None,
) -> Report:
    """Read, check and, if asked, apply one file of the disk; `reading.Unreadable` if it cannot."""
    by_map = mapping.read(map_path) if map_path else Map()
    table = reading.read(path, sheet=by_map.sheet)
    return run(kind, table, by_map=by_map, apply=apply, at=at, by=by)


def run(
    kind: str,
    table: Table,
    *,
    by_map: Map | None = None,
    apply: bool,
    at: datetime,
    by: User | ApiKey | None = None,
) -> Report:
    """Check or apply a table that has been read; figures follow what was written at once."""
    report = engine.run(KINDS[kind](), table, by_map=by_map, apply=apply, at=at, by=by)
    if report.applied and report.new + report.changed:
        recompute.refresh_stale(at=at)
    return report
