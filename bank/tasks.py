"""Background work of the bank: the one writer of the audit chain."""

from celery import shared_task

from bank import audit


@shared_task
def chain_audit() -> None:
    """Number and chain the audit entries that wait."""
    audit.chain()
