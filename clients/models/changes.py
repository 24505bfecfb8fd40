"""Notes of what has changed: the work list of whoever computes something from the records."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ChangeNote(models.Model):
    """Clients whose facts have changed, noted in the transaction of the change.

    Whoever measures takes the note away in the transaction that takes the change in, so that
    a kill between the two loses nothing.
    """

    client_ids = models.JSONField(_("clients"), default=list)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("note of a change")
        verbose_name_plural = _("notes of changes")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} · {len(self.client_ids)}"
