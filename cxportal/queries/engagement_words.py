"""What components, reasons and ceilings of engagement and health are called."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bank import formats
from clients.models import Client
from metrics import wording
from metrics.queries import Figure


def component(name: str) -> str:
    """A component of the engagement index."""
    return {
        "login": _("Logins"),
        "pv": _("Page views"),
        "ctr": _("Clicks on messages"),
        "usage": _("Use of products"),
        "offline": _("Visits, meetings and calls"),
    }[name]


def part(name: str) -> str:
    """A part of health or of the client score."""
    return {
        "trust": _("Trust"),
        "satisfaction": _("Satisfaction"),
        "loyalty": _("Loyalty: recommend and renew"),
        "health": _("Relationship health"),
        "cei": _("Engagement (CEI)"),
    }.get(name, name)


def band(label: str) -> str:
    """The band of a score."""
    return {
        "at risk": _("at risk"),
        "fragile": _("fragile"),
        "sound": _("sound"),
        "strong": _("strong"),
    }.get(label, "")


def ceiling(code: str) -> str:
    """Why health may not be higher, with the value that it may not exceed."""
    return {
        "OPEN_SEVERE_COMPLAINT": _("a severe complaint is open: at most 50"),
        "UNRESOLVED_DETRACTOR": _("a low rating is not followed up yet: at most 60"),
        "SILENT_12M": _("nobody has answered for 12 months: at most 70"),
    }.get(code, code)


def reason(gate: str) -> str:
    """Why a component or a score is missing, in words."""
    code = gate.split()[0] if gate else ""
    own = {
        "NO_CONTRACT": _("no online banking contract"),
        "SPONSOR_SERVED": _("served through its sponsor"),
        "LOG_OUTAGE": _("the log was away"),
        "NO_MESSAGES": _("no message was delivered"),
        "NOTHING_HELD": _("holds no product that is used online"),
        "CONSENT_WITHDRAWN": _("consent withdrawn"),
        "NO_REFERENCE": _("no reference has been frozen yet"),
        "LOW_COVERAGE": _("too few parts are known"),
        "MIN_RESPONSES": _("withheld: the few answers must not be seen one by one"),
        "NO_DATA": _("not computed yet"),
    }
    return own.get(code) or wording.why(gate)


def quantity(name: str, fig: Figure) -> str:
    """What was counted, in words; empty where the component is missing."""
    told = fig.detail
    if not told:
        return ""
    raw = formats.number(told.get("raw"), 1)
    if name in ("login", "pv"):
        users = int(told.get("users") or 0)
        per = _("%(raw)s days with a login per user") if name == "login" else _("%(raw)s per user")
        return f"{per % {'raw': raw}} · {_users(users)}"
    if name == "ctr":
        return _("%(clicks)s of %(messages)s messages clicked; estimated rate %(rate)s") % {
            "clicks": formats.number(told.get("clicks")),
            "messages": formats.number(told.get("messages")),
            "rate": formats.share(told.get("raw")),
        }
    if name == "usage":
        return _("%(used)s of %(held)s products used; %(depth)s uses") % {
            "used": formats.number(told.get("used")),
            "held": formats.number(told.get("held")),
            "depth": formats.number(told.get("depth"), 1),
        }
    return _("%(raw)s points of personal contact") % {"raw": raw}


def _users(count: int) -> str:
    return ngettext("%(count)s user", "%(count)s users", count) % {"count": count}


def usual(name: str, told: Mapping[str, Any]) -> str:
    """The frozen bounds that count as 0 and 100."""
    if told.get("low") is None or told.get("high") is None:
        return ""
    write = formats.share if name == "ctr" else lambda value: formats.number(value, 1)
    return _("%(low)s counts as 0, %(high)s as 100") % {
        "low": write(told["low"]),
        "high": write(told["high"]),
    }


def group(name: str) -> str:
    """The group of clients whose usual values are the yardstick."""
    if not name:
        return _("all clients of the bank")
    known = dict(Client.Segment.choices) | dict(Client.Size.choices)
    return " · ".join(str(known.get(piece, piece)) for piece in name.split("/"))
