"""What every template knows of the bank."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest  # noqa: TID251 - a context processor is a door

from bank.models import in_language


def bank(request: HttpRequest) -> dict[str, Any]:
    """The bank's name in the active language, and whether this is the demonstration."""
    return {
        "bank_name": in_language(settings.BANK_NAME_ZH, settings.BANK_NAME_EN),
        "demo": settings.DEMO,
    }
