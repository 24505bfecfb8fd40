"""The admin of clients, one module a noun."""

from clients.admin import happening, lending, people, reference

__all__ = ["happening", "lending", "people", "reference"]
