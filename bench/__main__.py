"""`ONLY=S1,R1 SCALE=0.1 python -m bench`: one line per goal, exit 1 if a median misses its own."""

import importlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import django

from bench import house
from bench.measuring import Line

ORDER = {
    "P1": "pages.opened",
    "P2": "pages.submitted",
    "P3": "queries.measure",
    "P4": "staff.cost",
    "P5": "staff.growth",
    "C1": "previews.measure",
    "S1": "sending.one",
    "S2": "sending.four",
    "S3": "letters.measure",
    "S4": "kills.measure",
    "R1": "figures.measure",
    "R2": "nightly.measure",
    "R3": "nightly.doubled",
    "T1": "ingest.measure",
    "I1": "imports.against_library",
    "I2": "imports.against_copy",
}


def main() -> int:
    """Measure what was asked for, in the order of the goals."""
    chosen = [code for code in os.environ.get("ONLY", "").replace(" ", "").split(",") if code]
    unknown = [code for code in chosen if code not in ORDER]
    if unknown:
        sys.exit(f"No such goal: {', '.join(unknown)}. Known: {', '.join(ORDER)}.")
    scale = float(os.environ.get("SCALE", "0.1"))
    history = Path(os.environ.get("STATE_DIR", "var")) / "bench.jsonl"
    history.parent.mkdir(parents=True, exist_ok=True)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    lines: list[Line] = []
    with house.house():
        _prepare()
        for code in chosen or ORDER:
            lines.append(_measure(code, scale))
            print(lines[-1], flush=True)
            lines[-1].keep(history, scale=scale, at=at)
    return int(any(line.verdict == "missed" for line in lines))


def _prepare() -> None:
    """Tables and reference data."""
    django.setup()
    management = importlib.import_module("django.core.management")
    management.call_command("migrate", verbosity=0)
    importlib.import_module("cxportal.reference").load(datetime.now(UTC))


def _measure(code: str, scale: float) -> Line:
    # Models can be read only after the settings, which the house decides.
    module, name = ORDER[code].split(".")
    return getattr(importlib.import_module(f"bench.{module}"), name)(scale)


if __name__ == "__main__":
    sys.exit(main())
