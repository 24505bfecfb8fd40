"""The export of a page of figures: every row with its bases, withheld ones without value."""

import csv
import io
from collections.abc import Iterator

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
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([page.ask.group_by or "slice", *COLUMNS])
    for row in table(page):
        writer.writerow([safe_cell(cell) for cell in _cells(row["label"], row["figure"])])
    return f"\N{ZERO WIDTH NO-BREAK SPACE}{out.getvalue()}"


def _cells(label: str, fig: Figure) -> Iterator[object]:
    yield label
    for name in COLUMNS:
        value = getattr(fig, name)
        yield "" if value is None else value.isoformat() if name == "as_of" else value
