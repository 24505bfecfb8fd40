"""Recompute figures by hand: what is stale, one client, or everything."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import changes
from clients.models import Client
from metrics import recompute


class Command(BaseCommand):
    """One call of `metrics.recompute`."""

    help = "Recompute the stored figures: the stale ones, of one client, or all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a client code, or the wish for everything."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--client", metavar="CODE", default="", help="one client by its code")
        which.add_argument("--all", action="store_true", help="everything from the raw rows")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Recompute and say how many clients it were."""
        at = timezone.now()
        if options["client"]:
            client = Client.objects.filter(code=options["client"]).first()
            if client is None:
                raise CommandError(_("No client has the code %s.") % options["client"])
            changes.note([client.pk], at=at)
            recompute.refresh_stale(at=at)
            done = 1
        else:
            everything = partial(recompute.refresh_all, past=True)
            act = everything if options["all"] else recompute.refresh_stale
            done = act(at=at)
        self.stdout.write(_("Figures of %s clients recomputed.") % done)
