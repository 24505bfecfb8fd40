"""Notes which clients' facts have changed, so that their figures follow."""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from clients.models import ChangeNote
from clients.signals import facts_changed

logger = logging.getLogger(__name__)


def note(client_ids: Iterable[int], *, at: datetime) -> None:
    """Note that facts of these clients have changed; call it in the change's transaction."""
    ids = sorted(set(client_ids))
    if ids:
        ChangeNote.objects.create(client_ids=ids, at=at)
        transaction.on_commit(_ring)


def _ring() -> None:
    """Tell whoever listens; a listener that fails is logged and never costs a change."""
    for receiver, error in facts_changed.send_robust(ChangeNote):
        if isinstance(error, Exception):
            logger.error("A receiver of facts_changed failed: %r", receiver, exc_info=error)
