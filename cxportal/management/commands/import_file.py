"""The command `import_file`."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.imports.reporting import Problem, Report, Say, Unreadable
from cxportal import imports


class Command(BaseCommand):
    """Checks a bank's own file and, with --apply, writes all of it or nothing."""

    help = "Check a CSV or XLSX file; with --apply, write all of it or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """KIND PATH [--map FILE] [--apply] [--json]"""
        parser.add_argument("kind", metavar="KIND")
        parser.add_argument("path", metavar="PATH", type=Path)
        parser.add_argument("--map", dest="map_path", metavar="FILE", type=Path)
        parser.add_argument("--apply", action="store_true")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0; 1 when a row has an error; 2 when the file cannot be read."""
        kind, as_json = options["kind"], options["as_json"]
        if kind not in imports.KINDS:
            say = Say(
                _("“%(kind)s” is not a kind of file; these are: %(kinds)s."),
                kind=kind,
                kinds=", ".join(imports.KINDS),
            )
            self._refuse(say, as_json=as_json)
        try:
            report = imports.run_file(
                kind,
                options["path"],
                map_path=options["map_path"],
                apply=options["apply"],
                at=timezone.now(),
            )
        except Unreadable as error:
            self._refuse(error.say, as_json=as_json)
        self._print(report, as_json=as_json)
        if report.errors:
            raise CommandError(_("Nothing was written."), returncode=1)

    def _refuse(self, say: Say, *, as_json: bool) -> None:
        if as_json:
            sentences = {"error_zh": say.within("zh-hans"), "error_en": say.within("en")}
            self.stdout.write(json.dumps(sentences, ensure_ascii=False))
        raise CommandError(str(say), returncode=2)

    def _print(self, report: Report, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False))
            return
        for problem in report.problems:
            self.stdout.write(line(problem))
        told = len(report.problems)
        if report.errors + report.warnings > told:
            self.stdout.write(
                _("… and %(number)s more") % {"number": report.errors + report.warnings - told}
            )
        # These words are a contract with scripts: they stay the same in every language.
        self.stdout.write(
            " · ".join(f"{name} {number}" for name, number in report.counts().items())
        )
        if not report.errors:
            self.stdout.write(_("Applied.") if report.applied else _("Checked; nothing written."))


def line(problem: Problem) -> str:
    """A problem as one line: where, what stands there, what is wrong."""
    level = _("error") if problem.level == "error" else _("warning")
    place = [problem.sheet] if problem.sheet else []
    if problem.row:
        place.append(_("row %(row)s") % {"row": problem.row})
    if problem.column:
        place.append(_("column %(column)s") % {"column": problem.column})
    value = f" “{problem.value}”" if problem.value else ""
    where = f"{', '.join(place)}{value}"
    return f"{level}: {where}: {problem.say}" if where else f"{level}: {problem.say}"
