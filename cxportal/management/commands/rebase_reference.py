"""Freeze a new reference of the engagement index by hand."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from metrics import references
from metrics.engaging import robustness
from metrics.models import ReferenceDistribution

_AGAIN, _PAUSE = 4, 0.5


class Command(BaseCommand):
    """One call of `metrics.references.rebase`."""

    help = "Freeze what is usual in the last four whole quarters as the new reference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the wish for a second reference within a year."""
        parser.add_argument(
            "--force", action="store_true", help="also within a year after the last one"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Freeze, and print each group with its bounds."""
        try:
            frozen = _patiently(force=options["force"])
        except references.NotPossible as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            raise CommandError(
                _("The database is busy, nothing was frozen. Please try again in a moment.")
            ) from error
        rows = sorted(frozen.rows.items())
        self.stdout.write(
            _("Reference %(version)s frozen from the 90 days up to %(days)s.")
            % {"version": frozen.version, "days": ", ".join(rows[0][1].quarters)}
        )
        for _key, row in rows:
            self.stdout.write(_line(row))
        robustness.report_missing(at=timezone.now())


def _patiently(*, force: bool) -> references.Reference:
    """Freeze, again where somebody else was writing: SQLite has one writer at a time."""
    for _attempt in range(_AGAIN):
        try:
            return references.rebase(at=timezone.now(), by=None, force=force)
        except OperationalError:
            if connection.vendor != "sqlite":
                raise
            time.sleep(_PAUSE)
    return references.rebase(at=timezone.now(), by=None, force=force)


def _line(row: ReferenceDistribution) -> str:
    group = "/".join(filter(None, (row.segment, row.size))) or _("bank")
    low, high = row.ends
    return _("%(quantity)s, %(group)s: %(low).4g to %(high).4g, %(clients)s clients") % {
        "quantity": row.quantity,
        "group": group,
        "low": low,
        "high": high,
        "clients": row.clients,
    }
