"""Person or machine: the weighed judgement on one visit of a link, as a pure function.

Mail gateways fetch every link of a mail, from other networks and with the names of browsers, so
no single trait tells them apart. Each signal below has a weight; a visit whose signals weigh
`ENOUGH` together is a machine's. What alone is enough, no person does: asking for the head of a
page, following a link that is not shown, four scores in a row, a click within two seconds of
the mail. What persons may do now and then (two links in one second, a click after ten seconds)
weighs less, and takes a second signal.

Signals are looked for in the visit's *run*: the visits of one mail from one network without a
pause of more than `PAUSE`. So a colleague who answers from the office whose gateway scanned the
mail is judged by what they did, and not by what the gateway did before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

RULE = "1"
ENOUGH = 100
PAUSE = timedelta(seconds=30)
# How many scores, or mails, no person follows one after the other.
SCORES, MAILS = 4, 5
# Within which the mails of other persons count as opened together.
TOGETHER = timedelta(seconds=10)
SAME_SECOND = timedelta(seconds=1)
# Between the mail and the click, between the two links, between the page and the form.
INSTANT, QUICK = timedelta(seconds=2), timedelta(seconds=20)
BOTH_LINKS = timedelta(seconds=3)
UNREAD = timedelta(seconds=2)

WEIGHTS = {
    "head": 100,
    "agent": 100,
    "network": 100,
    "trap": 100,
    "scores": 100,
    "instant": 100,
    "unread": 60,
    "same_second": 60,
    "mails": 60,
    "quick": 40,
    "opt_out": 40,
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit as it is judged. `network` is what `network_of` answers, "" where unknown."""

    at: datetime
    page: str
    method: str
    network: str
    score: int | None = None
    # Whether the visitor names a program or nothing, or comes from a network on the bank's list.
    program: bool = False
    listed: bool = False
    # How many mails this address followed links of within `TOGETHER`, this one included.
    mails: int = 1

    @property
    def link(self) -> tuple[str, int | None]:
        """Which link of the mail was followed."""
        return self.page, self.score


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who came, and why we think so: the codes of the signals and their weight together."""

    person: bool
    signals: tuple[str, ...]
    weight: int


def judge(visit: Visit, run: Sequence[Visit], *, mails: Iterable[datetime]) -> Verdict:
    """Weigh the signals of one visit in its run; `mails` are when the mails with the link left."""
    found = tuple(code for code, holds in _signals(visit, run, mails) if holds)
    weight = sum(WEIGHTS[code] for code in found)
    return Verdict(weight < ENOUGH, found, weight)


def runs(visits: Iterable[Visit]) -> list[list[Visit]]:
    """The visits of one mail as runs, each of one network and without a longer pause."""
    found: list[list[Visit]] = []
    last: dict[str, list[Visit]] = {}
    for visit in sorted(visits, key=lambda one: one.at):
        run = last.get(visit.network)
        if run is None or visit.at - run[-1].at > PAUSE:
            run = last[visit.network] = []
            found.append(run)
        run.append(visit)
    return found


def network_of(address: str | None) -> str:
    """The network an address belongs to, as large as one operator usually has at least."""
    if not address:
        return ""
    parsed = ip_address(address)
    return str(ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


def _signals(
    visit: Visit, run: Sequence[Visit], mails: Iterable[datetime]
) -> list[tuple[str, bool]]:
    """Each signal by its code, strongest first, and whether it was seen."""
    since = min((visit.at - sent for sent in mails if sent <= visit.at), default=None)
    scores = {one.score for one in run if one.score is not None}
    return [
        ("head", visit.method not in {"GET", "POST"}),
        ("agent", visit.program),
        ("network", visit.listed),
        ("trap", any(one.page == "trap" for one in run)),
        ("scores", len(scores) >= SCORES),
        ("instant", since is not None and since <= INSTANT),
        ("unread", _unread(visit, run)),
        ("same_second", _links_within(visit, run, SAME_SECOND) > 1),
        ("mails", visit.mails >= MAILS),
        ("quick", since is not None and INSTANT < since <= QUICK),
        ("opt_out", _both_links(visit, run)),
    ]


def _unread(visit: Visit, run: Sequence[Visit]) -> bool:
    """A form sent faster than its questions can be read."""
    if visit.method != "POST":
        return False
    opened = [one.at for one in run if one.method == "GET" and one.at <= visit.at]
    return bool(opened) and visit.at - opened[-1] < UNREAD


def _links_within(visit: Visit, run: Sequence[Visit], span: timedelta) -> int:
    """How many different links were followed around this visit."""
    near = [one for one in run if one.method != "POST" and abs(one.at - visit.at) < span]
    return len({one.link for one in near})


def _both_links(visit: Visit, run: Sequence[Visit]) -> bool:
    """The survey and the way out of it, both within seconds of this visit."""
    near = {one.page for one in run if abs(one.at - visit.at) <= BOTH_LINKS}
    return {"survey", "opt_out"} <= near
