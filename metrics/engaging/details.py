"""The numbers put into the engagement index of each client of a block."""

from typing import Any

import numpy as np

from metrics.engaging import scores
from metrics.engaging.scores import Day, Scores
from metrics.engaging.stamps import plain
from metrics.formulas import engagement
from metrics.formulas.parameters import ENGAGEMENT

_QUANTITY = {name: "depth" if name == "usage" else name for name in ENGAGEMENT}


class Details:
    """The columns of a day as plain lists, from which the detail of a row is put together."""

    def __init__(self, day: Day, version: int | None, bridged: int | None) -> None:
        now = day.now
        self.day, self.version, self.bridged = day, version, bridged
        self.index = plain(now.index.score)
        self.scores = {name: plain(now.scores[name]) for name in ENGAGEMENT}
        self.reasons = {name: now.reasons[name].tolist() for name in ENGAGEMENT}
        self._raw = {name: plain(now.raw[name]) for name in ENGAGEMENT}
        self._coverage = plain(now.index.coverage)
        self._weights = plain(now.index.effective_weights)
        self._contributions = plain(now.index.contributions)
        self._before, self._change = plain(day.before), plain(day.change.change)
        self._behaviour, self._availability = plain(day.change.behaviour), plain(day.change.weight)
        self._bridge = plain(day.bridge) if day.bridge is not None else []
        self._inputs = {name: _inputs(name, now) for name in ENGAGEMENT}

    def gate(self, row: int) -> str:
        """Why there is no index: no reference yet, or too few components."""
        if self.index[row] is not None:
            return ""
        told = {self.reasons[name][row] for name in ENGAGEMENT}
        return scores.NO_REFERENCE if scores.NO_REFERENCE in told else engagement.LOW_COVERAGE

    def of_index(self, row: int) -> dict[str, Any]:
        """What the index is made of, and why it changed."""
        if self.index[row] is None:
            return {}
        detail = {
            "from": _iso(self.day, 1),
            "to": self.day.day.isoformat(),
            "coverage": self._coverage[row],
            "reference": self.version,
            "components": {
                name: self._component(name, place, row) for place, name in enumerate(ENGAGEMENT)
            },
            "change": self._changed(row),
        }
        if self._bridge:
            detail["bridge"] = {"version": self.bridged, "value": self._bridge[row]}
        return detail

    def of_component(self, name: str, row: int) -> dict[str, Any]:
        """What one component is made of."""
        if self.scores[name][row] is None:
            return {}
        return {key: values[row] for key, values in self._inputs[name].items()}

    def _component(self, name: str, place: int, row: int) -> dict[str, Any]:
        there = not self.reasons[name][row]
        return {
            "score": self.scores[name][row],
            "raw": self._raw[name][row] if there else None,
            "weight": self._weights[row][place],
            "contribution": self._contributions[row][place],
            "reason": self.reasons[name][row],
        }

    def _changed(self, row: int) -> dict[str, Any] | None:
        if self._change[row] is None:
            return None
        parts = zip(ENGAGEMENT, self._behaviour[row], self._availability[row], strict=True)
        return {
            "since": self.day.since.isoformat(),
            "before": self._before[row],
            "value": self._change[row],
            "parts": {name: {"behaviour": b, "availability": a} for name, b, a in parts},
        }


def _iso(day: Day, after: int) -> str:
    return day.since.fromordinal(day.since.toordinal() + after).isoformat()


def _inputs(name: str, now: Scores) -> dict[str, list[Any]]:
    table, usual = now.table, now.usual[_QUANTITY[name]]
    counts = name != "ctr"
    held: dict[str, list[Any]] = {
        "raw": plain(now.raw[name]),
        "low": plain(np.expm1(usual.low) if counts else usual.low),
        "high": plain(np.expm1(usual.high) if counts else usual.high),
        "group": usual.group,
    }
    if name in ("login", "pv"):
        sums = table.login if name == "login" else table.pv
        held |= {"sum": plain(sums), "users": table.users.tolist()}
    elif name == "ctr":
        held |= {"clicks": table.clicks.tolist(), "messages": table.messages.tolist()}
        held |= {"usual": plain(usual.prior), "strength": plain(usual.strength)}
    elif name == "usage":
        held |= {"used": table.used.tolist(), "held": table.held.tolist()}
        held |= {"depth": plain(table.depth), "depth_score": plain(now.depth)}
    return held
