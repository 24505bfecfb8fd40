"""What an import found: counts, and sentences that can be said in either language."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils import translation
from django.utils.functional import Promise

# A file with a wrong column can have an error in each row; this many are told one by one.
TOLD = 1000


class Say:
    """A sentence with its values, put into words only when the language is known."""

    def __init__(self, message: str | Promise, **values: object) -> None:
        self.message = message
        self.values = values

    def __str__(self) -> str:
        values = {
            name: str(value) if isinstance(value, Say | Promise) else value
            for name, value in self.values.items()
        }
        return str(self.message) % values if values else str(self.message)

    def within(self, language: str) -> str:
        """The sentence in the language named."""
        with translation.override(language):
            return str(self)


class Unreadable(Exception):
    """The file as a whole cannot be used; the one sentence says why."""

    def __init__(self, message: str | Promise, **values: object) -> None:
        self.say = Say(message, **values)
        super().__init__(self.say)

    def __str__(self) -> str:
        return str(self.say)


class Unfit(Exception):
    """A cell that cannot be taken; the sentence gives the accepted form."""

    def __init__(self, message: str | Promise, **values: object) -> None:
        self.say = Say(message, **values)
        super().__init__(self.say)


@dataclass(frozen=True)
class Problem:
    """An error or a warning at one place of the file."""

    level: str  # error, warning
    sheet: str
    row: int  # 0: the whole column
    column: str
    value: str
    say: Say

    def as_dict(self) -> dict[str, Any]:
        """The problem for machines, with its sentence in both languages."""
        return {
            "level": self.level,
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "value": self.value,
            "message_zh": self.say.within("zh-hans"),
            "message_en": self.say.within("en"),
        }


@dataclass
class Report:
    """The outcome of one run over one file."""

    kind: str
    file: str
    digest: str
    sheet: str
    encoding: str
    applied: bool = False
    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    warnings: int = 0
    errors: int = 0
    problems: list[Problem] = field(default_factory=list)
    # One line per new or changed row for a preview: row, key, {column: (old, new)}.
    changes: list[tuple[int, str, dict[str, tuple[str, str]]]] = field(default_factory=list)
    bad_rows: set[int] = field(default_factory=set)

    def error(self, row: int, column: str, value: object, say: Say) -> None:
        """Note an error: nothing of the file will be written."""
        self.errors += 1
        self.bad_rows.add(row)
        self._tell("error", row, column, value, say)

    def warn(self, row: int, column: str, value: object, say: Say) -> None:
        """Note something the reader should know and that stops nothing."""
        self.warnings += 1
        self._tell("warning", row, column, value, say)

    def change(self, row: int, key: str, values: Callable[[], dict[str, tuple[str, str]]]) -> None:
        """Keep what a preview shows of one row, for the first rows only."""
        if len(self.changes) < TOLD:
            self.changes.append((row, key, values()))

    def counts(self) -> dict[str, int]:
        """The six numbers of a run."""
        names = ("new", "changed", "unchanged", "skipped", "warnings", "errors")
        return {name: getattr(self, name) for name in names}

    def as_dict(self) -> dict[str, Any]:
        """The whole report for machines."""
        names = ("kind", "file", "digest", "sheet", "encoding", "applied", "rows")
        return {
            **{name: getattr(self, name) for name in names},
            **self.counts(),
            "problems": [problem.as_dict() for problem in self.problems],
        }

    def _tell(self, level: str, row: int, column: str, value: object, say: Say) -> None:
        if len(self.problems) < TOLD:
            told = shown(value)
            self.problems.append(Problem(level, self.sheet, row, column, told, say))


def shown(value: object) -> str:
    """A cell as a report may print it: one short line without control characters."""
    text = "".join(sign if sign.isprintable() else " " for sign in str(value))
    return text if len(text) <= 60 else f"{text[:59]}…"
