"""The admin of clients, one module a noun."""

from clients.admin import people, reference

__all__ = ["people", "reference"]
