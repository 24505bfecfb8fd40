"""Who opened the links of the mails: people, and the gateways that fetch every link."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from random import Random

from cxportal.demo.asks import Ask
from cxportal.demo.firms import Person
from cxportal.demo.mailing import Invited
from cxportal.demo.speakers import Voice
from cxportal.demo.streams import Plan
from surveys import evidence, traces
from surveys.models import Hit, Invitation

AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
]
TWICE = 0.005
# Those who look at the questionnaire and leave it.
LOOKS = 0.09
PREFETCH = "Mozilla/5.0 (compatible; LinkPreview/1.2)"
_SURVEY, _OPT_OUT = Hit.Page.SURVEY, Hit.Page.OPT_OUT


def make_hits(
    plan: Plan,
    asks: Sequence[Ask],
    invited: Invited,
    voices: Sequence[Voice],
    mails: dict[str, list[datetime]],
) -> Iterator[Hit]:
    """Every opening of a link since the log begins; a machine's is evidence and nothing else."""
    heard = {voice.ask.ordinal: voice for voice in voices}
    for ask in asks:
        invitation = invited[ask.ordinal]
        dice = plan.stream("hits", ask.ordinal)
        for at in mails.get(ask.ordinal, ()):
            yield from _by_gateway(dice, invitation, ask.person, at)
        voice = heard.get(ask.ordinal)
        if ask.ordinal not in mails:
            continue
        if voice is not None:
            yield from _by_person(dice, invitation, voice)
        elif dice.random() < LOOKS:
            at = mails[ask.ordinal][-1] + timedelta(minutes=dice.randrange(4, 2_000))
            if at < plan.now:
                yield _hit(invitation, _SURVEY, at, _home(ask.person), AGENTS[0])


def _by_gateway(
    dice: Random, invitation: Invitation, person: Person, at: datetime
) -> Iterator[Hit]:
    """All links of the mail, from 1 to 40 seconds after it arrived; or only the first."""
    if not person.gateway:
        return
    net = dice.choice(("192.0.2", "198.51.100"))
    address = f"{net}.{dice.randrange(1, 255)}"
    agent = AGENTS[0] if person.gateway == "scan" else PREFETCH
    seconds = dice.randrange(1, 27)
    yield _hit(invitation, _SURVEY, at + timedelta(seconds=seconds), address, agent)
    if person.gateway != "scan":
        return
    for score in range(11):
        moment = at + timedelta(seconds=seconds + 1 + score)
        yield _hit(invitation, _SURVEY, moment, address, agent, score)
    yield _hit(invitation, _OPT_OUT, at + timedelta(seconds=seconds + 13), address, agent)


def _by_person(dice: Random, invitation: Invitation, voice: Voice) -> Iterator[Hit]:
    """Opened, then sent in; some send it in twice, which is one answer."""
    address = "203.0.113.77" if voice.ten else _home(voice.ask.person)
    agent = AGENTS[0] if voice.ten else dice.choice(AGENTS)
    yield _hit(invitation, _SURVEY, voice.at - timedelta(seconds=48), address, agent)
    times = 2 if dice.random() < TWICE else 1
    for number in range(times):
        sent = _hit(invitation, _SURVEY, voice.at + timedelta(seconds=number), address, agent)
        sent.method = "POST"
        yield sent


def _home(person: Person) -> str:
    """The address a person is known by: the same at each visit."""
    return f"203.0.113.{sum(map(ord, person.row.external_id)) % 76 + 1}"


def _hit(
    invitation: Invitation,
    page: str,
    at: datetime,
    address: str,
    agent: str,
    score: int | None = None,
) -> Hit:
    return Hit(
        invitation=invitation,
        page=page,
        method="GET",
        at=at,
        address=address,
        agent=agent,
        score=score,
    )


def mails_since(
    asks: Sequence[Ask], reminded: dict[str, datetime], start: date
) -> dict[str, list[datetime]]:
    """When each invitation sent since then arrived, with its reminder."""
    return {
        ask.ordinal: [ask.sent_at, *([reminded[ask.ordinal]] if ask.ordinal in reminded else [])]
        for ask in asks
        if not ask.reason and ask.sent_at.date() >= start
    }


def trace(*, at: datetime) -> None:
    """Let the product record the mails and judge the hits, as its own sweep does."""
    while traces.record_sent(at=at):
        pass
    while evidence.judge_visits(at=at):
        pass
