"""Cards that fail by themselves: one that cannot be read leaves the others standing."""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import DatabaseError

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Card(Generic[T]):
    """What a card shows, or that it could not be read."""

    def __init__(self, data: T | None, *, failed: bool = False) -> None:
        self.data = data
        self.failed = failed


def card(name: str, read: Callable[[], T]) -> Card[T]:
    """Read what one card shows; an error is logged with its trace and stays in the frame."""
    try:
        return Card(read())
    except (DatabaseError, ArithmeticError, LookupError, TypeError, ValueError):
        logger.exception("The card %s could not be read.", name)
        return Card(None, failed=True)
