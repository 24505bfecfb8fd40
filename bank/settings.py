"""The bank's own values that an administrator may change: a row overrides what is shipped."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_network
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from bank import audit
from bank.models import ApiKey, Setting, User

LONGEST = 500
# The highest rate stands for none: nobody counts a thousand mails a second.
UNLIMITED = 60_000
MOST_CONNECTIONS = 16
DEFAULTS: dict[str, Any] = {
    # Stops every outgoing mail; a restored copy of the database starts with it set.
    "mail_held": False,
    # Of one sending process; after a kill at most so many of its mails have no known outcome.
    "smtp_connections": 4,
    "mails_per_minute": UNLIMITED,
    "hotline": "400-000-0000",
    "bank_address_zh": "云汀市滨江大道 1 号",
    "bank_address_en": "1 Binjiang Avenue, Yunting",
    "privacy_email": "privacy@bank.example",
    "send_windows": [["09:30", "11:00"], ["14:30", "16:30"]],
    "working_hours": [["09:00", "12:00"], ["13:30", "17:30"]],
    "reminder_after_working_days": 5,
    # From this many recipients on a second person must agree to a launch; 0 switches it off.
    "campaign_checker_from": 0,
    # How much each component weighs in the engagement index.
    "cei_weights": {"login": 0.20, "pv": 0.15, "ctr": 0.15, "usage": 0.30, "offline": 0.20},
    # Whose visits of a link are a machine's: networks such as 192.0.2.0/24, and words in the
    # name of the browser, beside those that every gateway says of itself.
    "scanner_networks": [],
    "scanner_agents": [],
    # In which exposure is told; amounts in other currencies need a rate.
    "reporting_currency": "CNY",
}
# Plain words for the admin.
LABELS = {
    "mail_held": gettext_noop("Hold all outgoing mail"),
    "smtp_connections": gettext_noop("Connections of each sending process to the mail relay"),
    "mails_per_minute": gettext_noop(
        "Mails a minute at most, of all processes together; 60000: as fast as the relay takes them"
    ),
    "hotline": gettext_noop("Telephone number for clients"),
    "bank_address_zh": gettext_noop("Postal address in Chinese"),
    "bank_address_en": gettext_noop("Postal address in English"),
    "privacy_email": gettext_noop("E-mail address for questions about personal data"),
    "send_windows": gettext_noop("Times of day at which invitations leave"),
    "working_hours": gettext_noop("Working hours of the bank"),
    "reminder_after_working_days": gettext_noop("Working days until the one reminder"),
    "campaign_checker_from": gettext_noop(
        "Recipients from which on a second person agrees to a campaign; 0: never"
    ),
    "cei_weights": gettext_noop("Weights of the parts of the engagement index"),
    "scanner_networks": gettext_noop("Networks of mail scanners, whose visits never count"),
    "scanner_agents": gettext_noop("Words in the browser's name that give away a mail scanner"),
    "reporting_currency": gettext_noop("Currency in which exposure is told"),
}


class Unknown(KeyError):
    """There is no setting of this name."""


class Invalid(ValueError):
    """The value does not fit the setting; the text says what would."""


def get(key: str) -> Any:
    """Return the bank's value, else the shipped one. Read afresh, so a hold acts at once."""
    if key not in DEFAULTS:
        raise Unknown(key)
    row = Setting.objects.filter(key=key).values_list("value", flat=True).first()
    return DEFAULTS[key] if row is None else row


def put(key: str, value: Any, *, at: datetime, by: User | ApiKey | None) -> Setting:
    """Change one value; the same value again writes no second line into the audit trail."""
    check(key, value)
    with transaction.atomic():
        row, made = Setting.objects.select_for_update().get_or_create(
            key=key, defaults={"value": DEFAULTS[key], "loaded": DEFAULTS[key]}
        )
        if row.value == value and not made:
            return row
        before, row.value = row.value, value
        row.save(update_fields=["value"])
        audit.record("setting.put", row, at=at, by=by, data={key: [before, value]})
    return row


def label(key: str) -> str:
    """Say in plain words what a setting means."""
    return _(LABELS[key]) if key in LABELS else key


def check(key: str, value: Any) -> None:
    """Refuse an unknown key, and a value of another kind than the shipped one."""
    if key not in DEFAULTS:
        raise Unknown(key)
    test, hint = _CHECKS.get(key) or _BY_TYPE[type(DEFAULTS[key])]
    if not test(value):
        raise Invalid(hint())


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST and value.isprintable()


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100_000


def _is_rate(value: Any) -> bool:
    return _is_count(value) and 1 <= value <= UNLIMITED


def _are_connections(value: Any) -> bool:
    return _is_count(value) and 1 <= value <= MOST_CONNECTIONS


def _is_address(value: Any) -> bool:
    return _is_text(value) and re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", value) is not None


def _is_currency(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Z]{3}", value) is not None


def _are_windows(value: Any) -> bool:
    """Spans of one day, in order and apart; zero-padded times compare as text."""
    if not isinstance(value, list) or not value:
        return False
    times: list[str] = []
    for span in value:
        if not isinstance(span, list) or len(span) != 2:
            return False
        times += [time if isinstance(time, str) else "" for time in span]
    sound = all(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", time) for time in times)
    return sound and all(first < second for first, second in pairwise(times))


def _are_networks(value: Any) -> bool:
    """Networks as they are usually written, each named by its first address."""
    return isinstance(value, list) and all(_is_network(one) for one in value)


def _is_network(value: Any) -> bool:
    """No slip of the pen may make half of the world a machine."""
    try:
        return isinstance(value, str) and ip_network(value).prefixlen >= _WIDEST
    except ValueError:
        return False


def _are_words(value: Any) -> bool:
    """Texts that stand in the name of no usual browser."""
    return isinstance(value, list) and all(
        _is_text(one) and len(one) >= 4 and one.casefold() not in _BROWSERS for one in value
    )


def _are_weights(value: Any) -> bool:
    """A weight from 0 for each of the parts, and their sum is 1."""
    if not isinstance(value, dict) or value.keys() != DEFAULTS["cei_weights"].keys():
        return False
    numbers = [one for one in value.values() if isinstance(one, (int, float))]
    if len(numbers) < len(value) or any(isinstance(one, bool) for one in numbers):
        return False
    return all(0 <= one <= 1 for one in numbers) and abs(math.fsum(numbers) - 1) <= _EXACT


def _weights_needed() -> str:
    named = ", ".join(DEFAULTS["cei_weights"])
    return _("A weight from 0 to 1 for each of %s, with the sum 1, is needed.") % named


_EXACT = 1e-9
_WIDEST = 8
_BROWSERS = (
    "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) "
    "chrome/ safari/ version/ mobile/ gecko/ firefox/ edg/ iphone ipad macintosh intel mac os x "
    "cpu iphone os like mac os x linux android micromessenger/ qqbrowser/ dingtalk"
)
Check = tuple[Callable[[Any], bool], Callable[[], str]]
_WINDOWS: Check = (
    _are_windows,
    lambda: _('A list of spans in order is needed, such as [["09:30", "11:00"]].'),
)
_CHECKS: dict[str, Check] = {
    "smtp_connections": (
        _are_connections,
        lambda: _("A whole number of connections from 1 to 16 is needed."),
    ),
    "mails_per_minute": (
        _is_rate,
        lambda: _(
            "A whole number of mails a minute from 1 to 60000 is needed; to stop mail, hold it."
        ),
    ),
    "privacy_email": (_is_address, lambda: _("An e-mail address is needed.")),
    "reporting_currency": (
        _is_currency,
        lambda: _("A currency is three capital letters, such as CNY."),
    ),
    "send_windows": _WINDOWS,
    "working_hours": _WINDOWS,
    "cei_weights": (_are_weights, _weights_needed),
    "scanner_networks": (
        _are_networks,
        lambda: _('A list of networks is needed, such as ["192.0.2.0/24"].'),
    ),
    "scanner_agents": (
        _are_words,
        lambda: _('A list of words of four letters or more is needed, such as ["LinkScan"].'),
    ),
}
_BY_TYPE: dict[type, Check] = {
    bool: (lambda value: isinstance(value, bool), lambda: _("The value is true or false.")),
    str: (_is_text, lambda: _("A text on one line is needed.")),
    int: (_is_count, lambda: _("A whole number from 0 is needed.")),
}
