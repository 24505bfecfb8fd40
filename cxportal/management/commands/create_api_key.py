"""`create_api_key NAME --scopes read,ingest,manage`: make a key and print it once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bank import keys
from bank.models import Team


class Command(BaseCommand):
    """Makes an API key from the command line."""

    help = "Make an API key and print it once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the name, the scopes and the team."""
        parser.add_argument("name")
        parser.add_argument("--scopes", required=True, help="of read,ingest,manage")
        parser.add_argument("--team", default="", help="code of the team it is narrowed to")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the key alone on standard output, so that a script can take it."""
        team = Team.objects.filter(code=options["team"]).first() if options["team"] else None
        if options["team"] and team is None:
            raise CommandError(f"There is no team {options['team']}.")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        try:
            _key, secret = keys.make(
                options["name"], scopes=scopes, team=team, at=timezone.now(), by=None
            )
        except keys.UnknownScope as error:
            raise CommandError(
                f"Scopes are {', '.join(keys.SCOPES)}, separated by commas; not: {error}."
            ) from error
        self.stdout.write(secret)
        self.stderr.write("This key is shown once. Only its digest is kept.")
