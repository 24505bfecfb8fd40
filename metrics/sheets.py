"""The export of a page of figures: every row with its bases, withheld ones without value."""

import csv
import io
from collections.abc import Iterable, Iterator

from bank.cells import safe_cell
from metrics.pages.indicator import Page, table
from metrics.queries import Figure

COLUMNS = (
    "metric",
    "population",
    "period",
    "value",
    "label",
    "low",
    "high",
    "n",
    "clients",
    "eligible",
    "coverage",
    "coverage_exposure",
    "method",
    "version",
    "parameter_set",
    "zone",
    "as_of",
    "gate",
    "flags",
)


def sheet(page: Page) -> str:
    """The rows of the page as CSV with a byte-order mark, safe to open in a spreadsheet."""
    rows = [(row["label"], row["figure"]) for row in table(page)]
    return written(page.ask.group_by or "slice", rows)


def written(first: str, rows: Iterable[tuple[str, Figure]]) -> str:
    """Figures as CSV, each after its label; `first` is the name of the labels' column."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([first, *COLUMNS])
    for label, fig in rows:
        writer.writerow([safe_cell(cell) for cell in _cells(label, fig)])
    return f"\N{ZERO WIDTH NO-BREAK SPACE}{out.getvalue()}"


def _cells(label: str, fig: Figure) -> Iterator[object]:
    yield label
    for name in COLUMNS:
        value = getattr(fig, name)
        yield "" if value is None else value.isoformat() if name == "as_of" else value
