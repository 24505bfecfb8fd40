"""The life of a campaign: planned, agreed to, launched, paused, stopped, closed.

A launch decides on everybody at one instant and writes that down: the version, one invitation
for each contact of the audience (the refused ones with their reason) and one queued delivery for
each who is asked; see `surveys.rosters` for how. So every number of the funnel adds up, and
sending needs nothing but the ledger.
"""

from surveys.campaigns.base import NotPossible, preflight
from surveys.campaigns.checking import approve, may_approve, submit
from surveys.campaigns.clock import advance
from surveys.campaigns.drafts import copy, plan, revise
from surveys.campaigns.launching import launch, reschedule, withdraw
from surveys.campaigns.running import close, hold, pause, resume, retry, stop

__all__ = [
    "NotPossible",
    "advance",
    "approve",
    "close",
    "copy",
    "hold",
    "launch",
    "may_approve",
    "pause",
    "plan",
    "preflight",
    "reschedule",
    "resume",
    "retry",
    "revise",
    "stop",
    "submit",
    "withdraw",
]
