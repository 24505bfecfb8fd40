"""What the bank starts with: the rights of each role, its calendar, its settings."""

from collections.abc import Iterator
from datetime import date, datetime

from chinese_calendar import constants
from django.contrib.auth.models import Group, Permission
from django.db import transaction

from bank import audit, settings
from bank.models import Holiday, Role, Setting

APPS = ("bank", "clients", "surveys", "metrics")
# Evidence and results: looked at in the admin, never typed.
READ_ONLY = {
    "bank.auditentry",
    "surveys.answer",
    "surveys.delivery",
    "surveys.hit",
    "surveys.invitation",
    "surveys.occasion",
    "surveys.response",
}
YEARS = range(2024, 2027)
# The statutory days of 2027. The State Council's notice with the shifted working days is still
# to come, so every one of them is provisional.
PROVISIONAL: dict[str, tuple[str, ...]] = {
    "New Year's Day": ("2027-01-01",),
    "Spring Festival": (
        "2027-02-05",
        "2027-02-06",
        "2027-02-07",
        "2027-02-08",
        "2027-02-09",
        "2027-02-10",
    ),
    "Tomb-sweeping Day": ("2027-04-05",),
    "Labour Day": ("2027-05-01", "2027-05-02", "2027-05-03", "2027-05-04"),
    "Dragon Boat Festival": ("2027-06-09",),
    "Mid-autumn Festival": ("2027-09-15",),
    "National Day": ("2027-10-01", "2027-10-02", "2027-10-03", "2027-10-04", "2027-10-05"),
}


def load(*, at: datetime) -> None:
    """Bring roles, calendar and settings up to what this release ships.

    What an administrator changed stays: an existing date, and a setting whose value is no
    longer the one loaded last. The rights of a role are code, so they are set anew.
    """
    with transaction.atomic():
        changed = {
            "roles": _load_roles(),
            "holidays": _load_calendar(),
            "settings": _load_settings(),
        }
        if any(changed.values()):
            audit.record("reference.load", "bank:", at=at, data=changed)


def _load_roles() -> int:
    """Give each role's group exactly its rights; return how many groups differed."""
    changed = 0
    for role in Role.values:
        group, made = Group.objects.get_or_create(name=role)
        wanted = set(_rights(role))
        if made or wanted != set(group.permissions.all()):
            group.permissions.set(wanted)
            changed += 1
    return changed


def _rights(role: str) -> Iterator[Permission]:
    """The administrator runs the admin, the auditor looks; the others need nothing there."""
    if role not in {Role.ADMINISTRATOR, Role.AUDITOR}:
        return
    rows = Permission.objects.filter(content_type__app_label__in=APPS)
    for right in rows.select_related("content_type"):
        kind = right.content_type
        evidence = kind.app_label == "metrics" or f"{kind.app_label}.{kind.model}" in READ_ONLY
        if right.codename.startswith("view_") or (role == Role.ADMINISTRATOR and not evidence):
            yield right


def _load_calendar() -> int:
    """Add the dates that are missing; return how many. A year now final loses its guesses."""
    before = Holiday.objects.count()
    Holiday.objects.filter(provisional=True, date__year__in=YEARS).delete()
    Holiday.objects.bulk_create(_holidays(), ignore_conflicts=True)
    return Holiday.objects.count() - before


def _holidays() -> Iterator[Holiday]:
    for kind, days in (
        (Holiday.Kind.OFF, constants.holidays),
        (Holiday.Kind.WORKDAY, constants.workdays),
    ):
        for day, name in days.items():
            if day.year in YEARS:
                yield Holiday(date=day, kind=kind, name=_both(name))
    for name, days_off in PROVISIONAL.items():
        for text in days_off:
            on = date.fromisoformat(text)
            yield Holiday(date=on, kind=Holiday.Kind.OFF, name=_both(name), provisional=True)


def _both(name: str) -> str:
    """The festival in both languages: the calendar has one column for it."""
    return f"{constants.Holiday(name).chinese} {name}"


def _load_settings() -> int:
    """Ship new values to rows nobody touched; return how many rows changed."""
    rows = Setting.objects.in_bulk(field_name="key")
    changed = 0
    for key, shipped in settings.DEFAULTS.items():
        row = rows.get(key)
        if row is None:
            Setting.objects.create(key=key, value=shipped, loaded=shipped)
        elif row.loaded != shipped:
            untouched = row.value == row.loaded
            row.value, row.loaded = (shipped if untouched else row.value), shipped
            row.save(update_fields=["value", "loaded"])
        else:
            continue
        changed += 1
    return changed
