"""Every kind of import file the portal knows, and one call that reads, checks and applies."""

from datetime import datetime
from pathlib import Path

from bank.models import ApiKey, User
from clients.imports import engine, mapping, reading
from clients.imports.case_rows import CaseRows
from clients.imports.client_rows import ClientKind
from clients.imports.contact_rows import ContactKind
from clients.imports.kinds import Kind
from clients.imports.milestone_rows import MilestoneKind
from clients.imports.reporting import Report

KINDS: dict[str, type[Kind]] = {
    kind.name: kind for kind in (ClientKind, ContactKind, CaseRows, MilestoneKind)
}


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
    by_map = mapping.read(map_path) if map_path else mapping.Map()
    table = reading.read(path, sheet=by_map.sheet)
    return engine.run(KINDS[kind](), table, by_map=by_map, apply=apply, at=at, by=by)
