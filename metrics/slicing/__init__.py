"""Figures of any part of the bank, in any period, after the gate.

Where the store keeps the answer it is read there; else it is computed from the facts through
the same indicators, in a number of queries that does not depend on how much there is.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bank.models import ApiKey, User
from metrics.slicing import computing, stored
from metrics.slicing.asking import Ask
from metrics.slicing.computing import without
from metrics.slicing.grid import Row
from metrics.slicing.viewing import for_viewer

__all__ = ["Ask", "Row", "for_viewer", "rows", "uncut", "without"]


def rows(ask: Ask, units: Any, *, viewer: User | ApiKey, at: datetime) -> Sequence[Row]:
    """The rows that answer the question; `units` are those of a group that are in scope."""
    if stored.holds(ask, at=at):
        return stored.rows(ask, units, viewer=viewer, at=at)
    return computing.rows(ask, units, viewer=viewer, at=at)


def uncut(ask: Ask) -> Ask:
    """The same question without its cut."""
    return replace(ask, group_by="")
