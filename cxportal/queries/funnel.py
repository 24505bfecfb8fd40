"""The newest campaign from planned to completed, as far as the viewer may see it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from bank import formats
from bank.models import User
from surveys import queries
from surveys.models import Campaign


@dataclass(frozen=True)
class Step:
    """One step: its count, how far its bar is filled, and how many go on to the next."""

    label: str
    count: int
    width: float
    between: str


@dataclass(frozen=True)
class Funnel:
    """The steps of one campaign; opening a mail is none of them."""

    campaign: Campaign
    steps: list[Step]


def newest(viewer: User) -> Funnel | None:
    """The funnel of the last campaign that sent something in the viewer's scope."""
    draft = (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED)
    campaign = queries.campaigns(viewer).exclude(status__in=draft).first()
    if campaign is None:
        return None
    found = queries.funnel(campaign, viewer=viewer)
    return Funnel(campaign, steps(found)) if found.planned else None


def steps(found: queries.Funnel) -> list[Step]:
    """The steps with their bars, and the rate between each and the next."""
    held = sum(found.skipped.values())
    counts = [
        (_("Planned"), found.planned, _("%(count)s held back by the rules") % {"count": held}),
        (_("Sent"), found.sent, _share(found.delivered, found.sent)),
        (_("Delivered"), found.delivered, _share(found.opened, found.delivered)),
        (_("Opened survey"), found.opened, _share(found.started, found.opened)),
        (_("Started"), found.started, _share(found.completed, found.started)),
        (_("Completed"), found.completed, ""),
    ]
    whole = found.planned or 1
    return [
        Step(label, count, round(100 * count / whole, 1), between)
        for label, count, between in counts
    ]


def _share(part: int, whole: int) -> str:
    return formats.share(part / whole) if whole else ""
