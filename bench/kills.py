"""S4: all senders killed several times; what is unknown, lost or twice is counted."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from django.utils import timezone

from bench import people
from bench.measuring import Goal, Line
from bench.sending import PROCESSES, relay, start, use
from surveys.models import Delivery

# Unknown mails after a kill, a connection.
GOAL = Goal("S4", 1, at_least=False)
MAILS, KILLS, PATIENCE = 6_000, 8, 60
WIDTHS = (1, 4)


def measure(scale: float) -> Line:
    """The most mails without a verdict after one kill of every sender, by connection in use."""
    count = max(400, int(MAILS * scale))
    told, worst, faults = [], [], []
    for connections in WIDTHS:
        use(connections)
        unknown, name = _killed(count, connections, faults)
        worst.append(max(unknown) / (PROCESSES * connections))
        each = " ".join(str(number) for number in unknown)
        told.append(f"{PROCESSES}x{connections}: {each}")
    words = f"unknown mails after each of {KILLS} kills of all senders, {'; '.join(told)}"
    return Line(GOAL, [max(worst)], f"{words}; sink {name}", faults)


def _killed(count: int, connections: int, faults: list[str]) -> tuple[list[int], str]:
    """How many mails are unknown after each kill, and which sink was used."""
    Delivery.objects.all().delete()
    asked = people.contacts(count, f"S4{connections}-")
    campaign = people.campaign(asked, at=timezone.now())
    with TemporaryDirectory() as folder, relay(f"{folder}/received") as name:
        log = Path(folder, "received")
        unknown = []
        for number in range(1, KILLS + 1):
            _kill_after(log, number * count // (KILLS + 2))
            unknown.append(_judge(campaign.pk, log, faults))
    return unknown, name


def _kill_after(log: Path, received: int) -> None:
    senders = [start("bench.sender", "work") for _ in range(PROCESSES)]
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.write("go\n")
        sender.stdin.flush()
    ends = time.monotonic() + PATIENCE
    while log.read_bytes().count(b"\n") < received and time.monotonic() < ends:
        time.sleep(0.01)
    for sender in senders:
        sender.kill()
    for sender in senders:
        sender.wait()
    # What was in the pipe to the sink still arrives.
    time.sleep(0.3)


def _judge(campaign: int, log: Path, faults: list[str]) -> int:
    """Compare the ledger with the relay's log; return how many mails have no verdict.

    What stays in doubt is then taken for sent, so that the next kill is counted by itself.
    """
    received = set(log.read_text().split())
    ledger = Delivery.objects.filter(invitation__campaign=campaign)
    emails = ledger.values_list("invitation__contact__email", flat=True)
    sent = set(emails.filter(state="sent", relay_reply__gt=""))
    free = set(emails.filter(state__in=["queued", "claimed", "retry"]))
    if sent - received:
        faults.append(f"{len(sent - received)} marked and not received")
    if free & received:
        faults.append(f"{len(free & received)} received and free to go again")
    ledger.filter(state="claimed").update(state="queued", lease_until=None, claimed_by="")
    return ledger.filter(state="sending").update(state="sent", sent_at=timezone.now())
