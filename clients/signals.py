"""A bell: facts from which figures are made have changed, and are committed."""

from django.dispatch import Signal

# Sent without arguments after commit; whoever listens reads the notes of changes. Losing it
# delays figures, never falsifies them.
facts_changed = Signal()
