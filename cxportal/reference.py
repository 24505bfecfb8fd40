"""`load_reference`: read and check all files, then load every app in one transaction."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

import bank.reference
import clients.reference
import surveys.reference
import surveys.shapes
from clients import shapes

FILES = (*clients.reference.FILES, "questionnaires")
FOLDER = settings.BASE_DIR / "reference"


def read(folder: Path = FOLDER) -> dict[str, Any]:
    """The content of the reference files by name; a broken file stops with its path."""
    data = {}
    for name in FILES:
        path = folder / f"{name}.json"
        try:
            data[name] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise shapes.Wrong(f"{path.name}: {error}") from error
    return data


def load(at: datetime, folder: Path = FOLDER) -> dict[str, Any]:
    """Bring all reference data into line with the files, or change nothing at all."""
    data = read(folder)
    clients.reference.check(data)
    surveys.shapes.check(data)
    with transaction.atomic():
        bank.reference.load(at=at)
        clients.reference.load(data, at)
        surveys.reference.load(data, at)
    return data
