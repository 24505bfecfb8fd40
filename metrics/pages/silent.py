"""The reports on silence in words."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from bank import formats
from bank.models import User
from metrics.pages import choices
from metrics.queries import Figure
from metrics.slicing.silence import Factor, Silence


@dataclass(frozen=True)
class Told:
    """The reports with names for classes and clients."""

    reports: Silence
    rates: list[tuple[str, list[tuple[str, Figure]]]]
    factors: list[tuple[str, Factor]]
    bounds: str
    quiet: list[tuple[str, str, str]]


def told(found: Silence, viewer: User) -> Told:
    """Name the classes and clients of the reports."""
    lines, sizes = choices.named("segment", viewer), choices.named("size", viewer)
    titles = {
        "segment": (_("Line of business"), lines),
        "size": (_("Size of the client"), sizes),
        "rating": (_("Rating class"), {}),
        "tenure": (_("Years as a client"), {}),
    }
    rates = [
        (titles[name][0], [(titles[name][1].get(one.key, one.key), one.rate) for one in rows])
        for name, rows in found.by.items()
        if rows
    ]
    factors = [
        (f"{lines.get(one.segment, one.segment)} · {sizes.get(one.size, '–')}", one)
        for one in found.factors
    ]
    bounds = formats.interval(found.bounds.low, found.bounds.high) if found.bounds else ""
    quiet = [
        (one.client.name, one.client.code, formats.money(round(one.exposure, 2), found.currency))
        for one in found.quiet
    ]
    return Told(found, rates, factors, bounds.removeprefix("95% CI "), quiet)
