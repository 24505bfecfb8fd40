"""Notes which clients' facts have changed, so that their figures follow."""

from collections.abc import Iterable
from datetime import datetime

from clients.models import ChangeNote


def note(client_ids: Iterable[int], *, at: datetime) -> None:
    """Note that facts of these clients have changed; call it in the change's transaction."""
    ids = sorted(set(client_ids))
    if ids:
        ChangeNote.objects.create(client_ids=ids, at=at)
