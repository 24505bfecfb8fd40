"""The admin of the bank's own things, one module a noun."""

from bank.admin import house, key, staff

__all__ = ["house", "key", "staff"]
