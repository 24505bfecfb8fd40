"""A bell: an answer has been committed."""

from django.dispatch import Signal

# Sent with `response_id: int` after commit. Losing it delays figures, never falsifies them.
response_submitted = Signal()
