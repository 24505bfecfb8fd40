"""How a campaign goes out: who is drawn, and in which week and on which day each has a place.

Every choice follows from the stored seed and the bank's own numbers of its contacts, so that a
preview and the launch after it name the same people, on every machine.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from bank import workdays
from clients.models import Contact
from surveys.models import Campaign
from surveys.models.campaign import MOST_WEEKS

FIELDS = ("weeks", "sample_share", "sample_size", "sample_seed", "team_places", "role_shares")
SAMPLED_OUT, OVER_QUOTA = "sampled_out", "over_quota"
# Who has no buying role is counted with those who use the service.
ROLES: tuple[str, ...] = tuple(Contact.BuyingRole.values)
OTHERS = Contact.BuyingRole.USER.value
WEEK = 7
LARGEST = 2**31 - 1

# The team and the buying role.
Stratum = tuple[str, str]


class Unusable(ValueError):
    """The wave makes no sense; `errors` says why, field by field."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(errors)
        self.errors = errors


@dataclass(frozen=True)
class Places:
    """From when on each contact is asked, in which week (from 0), and who found no place."""

    first: dict[int, datetime] = field(default_factory=dict)
    weeks: dict[int, int] = field(default_factory=dict)
    left_over: dict[int, str] = field(default_factory=dict)


def check(wave: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that were given, or refuse them with a sentence for each."""
    given = {name: wave[name] for name in FIELDS if wave.get(name) not in (None, "")}
    errors = {name: [fault] for name in FIELDS if (fault := _fault(name, given))}
    if errors:
        raise Unusable(errors)
    return {name: wave[name] for name in FIELDS if name in wave}


def place(
    campaign: Campaign,
    contacts: Sequence[Contact],
    teams: Mapping[int, str | None],
    *,
    start: datetime,
    calendar: workdays.Calendar,
) -> Places:
    """Draw the sample and give everybody in it a place; `teams` is the team's code by client."""
    strata: dict[Stratum, list[Contact]] = defaultdict(list)
    for contact in contacts:
        role = contact.buying_role if contact.buying_role in ROLES else OTHERS
        strata[(teams.get(contact.client_id) or "", role or OTHERS)].append(contact)
    for people in strata.values():
        people.sort(key=lambda one: _ticket(campaign.sample_seed, one))
    drawn = _drawn(campaign, strata)
    places = Places()
    for stratum, people in strata.items():
        for contact in people[drawn[stratum] :]:
            places.left_over[contact.pk] = SAMPLED_OUT
    asked = {stratum: people[: drawn[stratum]] for stratum, people in sorted(strata.items())}
    _into_weeks(campaign, asked, places)
    _onto_days(campaign, places, start=start, calendar=calendar)
    return places


def is_plain(campaign: Campaign) -> bool:
    """Whether everybody is asked at once, so that nothing is to be drawn or spread."""
    return campaign.weeks == 1 and not (
        campaign.sample_share or campaign.sample_size or campaign.team_places
    )


def days(start: datetime, week: int, calendar: workdays.Calendar) -> list[date]:
    """The working days of a week that begins on the weekday of the start, in the bank's zone.

    A week that is all holidays has the next working day after its beginning.
    """
    first = start.astimezone(settings.ZONE).date() + timedelta(days=WEEK * week)
    found = [
        day for number in range(WEEK) if calendar.is_workday(day := first + timedelta(days=number))
    ]
    return found or [calendar.add(first, 1)]


def shared(total: int, weights: Mapping[Any, int | Fraction]) -> dict[Any, int]:
    """Divide a number by weights, whole and exact: the largest remainders round up."""
    whole = sum(weights.values()) or 1
    exact = {key: Fraction(total * weight) / whole for key, weight in weights.items()}
    found = {key: int(value) for key, value in exact.items()}
    order = sorted(exact, key=lambda key: (found[key] - exact[key], str(key)))
    for key in order[: total - sum(found.values())]:
        found[key] += 1
    return found


def _drawn(campaign: Campaign, strata: Mapping[Stratum, Sequence[Contact]]) -> dict[Stratum, int]:
    """How many of each team and role are asked: in proportion, but one of each at least.

    Where the number is smaller than the groups, the largest groups have one each.
    """
    sizes = {stratum: len(people) for stratum, people in strata.items()}
    total = sum(sizes.values())
    wanted = _wanted(campaign, total)
    if wanted >= total:
        return sizes
    if wanted <= len(sizes):
        largest = sorted(sizes, key=lambda one: (-sizes[one], one))[:wanted]
        return {stratum: int(stratum in largest) for stratum in sizes}
    # One each first; what is left is shared by what each has beyond its one.
    beyond = shared(wanted - len(sizes), {one: size - 1 for one, size in sizes.items()})
    return {stratum: 1 + beyond[stratum] for stratum in sizes}


def _wanted(campaign: Campaign, total: int) -> int:
    if campaign.sample_size:
        return campaign.sample_size
    if campaign.sample_share:
        share = Fraction(campaign.sample_share) / 100
        # Half a person is one, and a share of somebody is never nobody.
        return max(int(total * share + Fraction(1, 2)), min(total, 1))
    return total


def _into_weeks(
    campaign: Campaign, asked: Mapping[Stratum, Iterable[Contact]], places: Places
) -> None:
    """Spread each team and role evenly over the weeks, as far as the quotas have room.

    Whose week is full goes in the next one with room, round the wave; else there is no place.
    """
    caps = _caps(campaign)
    taken: Counter[tuple[str, int, str]] = Counter()
    turn = 0
    for (team, role), people in asked.items():
        cell = role if campaign.role_shares else ""
        most = caps.get(cell)
        for contact in people:
            turns = ((turn + step) % campaign.weeks for step in range(campaign.weeks))
            free = (week for week in turns if most is None or taken[(team, week, cell)] < most)
            week = next(free, None)
            turn += 1
            if week is None:
                places.left_over[contact.pk] = OVER_QUOTA
            else:
                taken[(team, week, cell)] += 1
                places.weeks[contact.pk] = week


def _caps(campaign: Campaign) -> dict[str, int]:
    """The places of one team in one week, by role where the roles have shares."""
    if not campaign.team_places:
        return {}
    if not campaign.role_shares:
        return {"": campaign.team_places}
    return shared(
        campaign.team_places, {role: campaign.role_shares.get(role, 0) for role in ROLES}
    )


def _onto_days(
    campaign: Campaign, places: Places, *, start: datetime, calendar: workdays.Calendar
) -> None:
    """Give each week's contacts its working days in turn; a single week goes at once."""
    if campaign.weeks == 1:
        places.first.update(dict.fromkeys(places.weeks, start))
        return
    opens = time.min if campaign.send_window else start.astimezone(settings.ZONE).time()
    open_days = {
        week: [
            max(start, datetime.combine(day, opens, settings.ZONE))
            for day in days(start, week, calendar)
        ]
        for week in range(campaign.weeks)
    }
    turns: Counter[int] = Counter()
    for contact, week in places.weeks.items():
        these = open_days[week]
        places.first[contact] = these[turns[week] % len(these)]
        turns[week] += 1


def _ticket(seed: int, contact: Contact) -> bytes:
    return sha256(f"{seed}|{contact.external_id}".encode()).digest()


def _fault(name: str, given: Mapping[str, Any]) -> str:
    """What is wrong with one field, in words; empty for one that was not given."""
    if name not in given:
        return ""
    value = given[name]
    if name == "role_shares":
        return _shares_fault(value, has_places="team_places" in given)
    if name == "sample_share":
        inside = 0 < value <= 100
        return "" if inside else _("The share is more than 0 and at most 100 percent.")
    if name == "sample_size" and "sample_share" in given:
        return _("Give a share or a number, not both.")
    lowest, highest = _BOUNDS[name]
    if lowest <= value <= highest:
        return ""
    return _("A whole number from %(lowest)d to %(highest)d is needed.") % {
        "lowest": lowest,
        "highest": highest,
    }


def _shares_fault(value: Any, *, has_places: bool) -> str:
    if not isinstance(value, Mapping) or not value.keys() <= set(ROLES):
        return _("Shares are given by buying role: %(roles)s.") % {"roles": ", ".join(ROLES)}
    numbers: Collection[Any] = value.values()
    if any(not isinstance(one, int) or isinstance(one, bool) or one < 0 for one in numbers):
        return _("A share is a whole number of percent from 0.")
    if value and sum(numbers) != 100:
        return _("The shares of the roles make 100 percent together.")
    if value and not has_places:
        return _("Shares divide the places per team and week: say how many places there are.")
    return ""


_BOUNDS: dict[str, tuple[int, int]] = {
    "weeks": (1, MOST_WEEKS),
    "sample_size": (1, LARGEST),
    "sample_seed": (0, LARGEST),
    "team_places": (1, LARGEST),
}
