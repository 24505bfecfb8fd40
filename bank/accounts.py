"""Attempts to sign in: noted in the audit trail, slowed down when somebody guesses.

Name and address count together. Counting names alone would let anybody lock the director out;
counting addresses alone would lock a whole branch behind one address.
"""

import hashlib
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from bank import audit
from bank.models import AuditEntry, User

LIMIT = 10
WINDOW = timedelta(minutes=15)
FAILED, DONE = "sign_in.failed", "sign_in.done"
_SUBJECT = "sign_in"


def is_slowed(username: str, *, address: str, at: datetime) -> bool:
    """Whether the last ten attempts of this name from this address all failed just now."""
    rows = AuditEntry.objects.filter(
        subject_type=_SUBJECT, subject_id=_pair(username, address), at__gt=at - WINDOW
    )
    acts = list(rows.order_by("-id").values_list("act", flat=True)[:LIMIT])
    return acts == [FAILED] * LIMIT


def note_failure(username: str, *, address: str, at: datetime) -> None:
    """Count a failure. A name nobody has is not kept: people type passwords there."""
    # What no database column holds is no name of ours.
    name = username.encode(errors="ignore").decode().replace("\x00", "")
    known = User.objects.filter(username=name).exists()
    audit.record(
        FAILED,
        f"{_SUBJECT}:{_pair(username, address)}",
        at=at,
        label="stranger",
        data={"username": name if known else None, "address": address},
    )


def note_success(user: User, *, address: str, at: datetime) -> None:
    """Note who came in and from where; earlier failures no longer count."""
    pair = _pair(user.username, address)
    audit.record(DONE, f"{_SUBJECT}:{pair}", at=at, by=user, data={"address": address})


def _pair(username: str, address: str) -> str:
    """One value for name and address, in which neither can be read."""
    text = f"{username.casefold()}\n{_neighbourhood(address)}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _neighbourhood(address: str) -> str:
    """The address; of the sixth version its network, as a guest has that many addresses."""
    try:
        sixth = ip_address(address).version == 6
    except ValueError:
        return address
    return str(ip_network(f"{address}/64", strict=False)) if sixth else address
