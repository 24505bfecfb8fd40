"""Several programmes at once: who gets a mail is written down here by hand, to the person."""

from datetime import UTC, date, datetime, timedelta

import pytest

from clients import consent
from clients.models import Milestone
from cxportal import reference
from surveys import campaigns, sending, triggers
from surveys.models import Delivery, Invitation
from tests.factories import (
    NOW,
    make_case,
    make_client,
    make_contact,
    make_draft,
    make_mailed_version,
)
from tests.sinks import Sink

pytestmark = pytest.mark.django_db
LOADED = NOW - timedelta(days=30)


@pytest.fixture
def relay(settings):
    with Sink() as sink:
        settings.EMAIL_URL = sink.url
        yield sink


def launch(at=NOW, **fields):
    """A campaign to everybody, a free passer-by included: without one it could not start."""
    make_contact(
        make_client(), email=f"passer-by@{at:%Y%m%d}-{Invitation.objects.count()}.example"
    )
    fields = {"at": at, "closes_at": at + timedelta(days=14)} | fields
    return campaigns.launch(make_draft(make_mailed_version(), **fields), at=at, by=None)


def drain(at=NOW):
    return sending.drain(clock=lambda: at)


def outcome(campaign):
    """Contact number → when it was sent, or why not and until when."""
    rows = (
        Invitation.objects.filter(campaign=campaign)
        .exclude(contact__email__startswith="passer-by@")
        .values_list("contact__external_id", "state", "reason", "free_on")
    )
    return {
        number: state if state == "invited" else (reason, free_on)
        for number, state, reason, free_on in rows
    }


def sent(relay):
    return [address for address in relay.recipients if not address.startswith("passer-by@")]


def make_eight():
    """A client with eight contacts: by role and number, D goes first, then I, then the users."""
    client = make_client("EIGHT")
    roles = [("D", "decider"), ("I", "influencer")] + [(f"U{n}", "user") for n in range(1, 7)]
    people = {
        number: make_contact(
            client,
            external_id=number,
            buying_role=role,
            job_role="cfo" if number in "DI" else "accountant",
            email=f"{number.lower()}@eight.example",
        )
        for number, role in roles
    }
    consent.opt_out(people["U1"], at=LOADED)
    return people


def test_contact_in_three_programmes_gets_the_first_and_a_day_for_the_others(relay):
    reference.load(LOADED)
    client = make_client()
    contact = make_contact(client, external_id="ONE", job_role="cfo")
    Milestone.objects.create(
        external_id="M",
        case=make_case(client),
        code="approved",
        event="approval_communicated",
        occurred_at=NOW - timedelta(days=1),
    )
    first, second = launch(), launch()
    # The approval was seen after the campaigns were planned: it is of lower rank.
    triggers.invite_due(NOW)
    assert not Invitation.objects.filter(occasion__isnull=False).exists()
    drain()
    assert sent(relay) == [contact.email]
    assert outcome(first) == {"ONE": "invited"}
    assert outcome(second) == {"ONE": ("contact_cooldown", date(2027, 2, 22))}
    assert outcome(launch(NOW + timedelta(days=89))) == {
        "ONE": ("contact_cooldown", date(2027, 2, 22))
    }
    later = NOW + timedelta(days=90)
    third = launch(later)
    drain(later)
    assert outcome(third) == {"ONE": "invited"}
    assert sent(relay) == [contact.email] * 2


def test_client_with_eight_contacts_is_asked_three_at_a_time(relay):
    make_eight()
    full, over = ("client_cap", date(2026, 12, 24)), date(2027, 2, 22)
    first = launch()
    drain()
    assert outcome(first) == {
        **dict.fromkeys(("D", "I", "U2"), "invited"),
        "U1": ("no_consent", None),
        **dict.fromkeys(("U3", "U4", "U5", "U6"), full),
    }
    assert outcome(launch(NOW + timedelta(days=29))) == {
        **dict.fromkeys(("D", "I", "U2"), ("contact_cooldown", over)),
        "U1": ("no_consent", None),
        **dict.fromkeys(("U3", "U4", "U5", "U6"), full),
    }
    later = NOW + timedelta(days=30)
    third = launch(later)
    drain(later)
    assert outcome(third) == {
        **dict.fromkeys(("D", "I", "U2"), ("contact_cooldown", over)),
        "U1": ("no_consent", None),
        **dict.fromkeys(("U3", "U4", "U5"), "invited"),
        "U6": ("client_cap", date(2027, 1, 23)),
    }
    assert sorted(sent(relay)) == sorted(
        f"{number}@eight.example" for number in ("d", "i", "u2", "u3", "u4", "u5")
    )


def test_all_that_is_queued_for_the_same_minute_keeps_to_the_rules(relay):
    people = make_eight()
    heads = launch(audience={"job_roles": ["cfo"]})
    staff = launch(audience={"job_roles": ["accountant"]})
    everybody = launch()
    assert [len(outcome(one)) for one in (heads, staff, everybody)] == [2, 6, 8]
    queued = Delivery.objects.exclude(invitation__contact__email__startswith="passer-by@")
    assert queued.filter(state="queued").count() == 2 + 3 + 3
    # One more says no before the minute comes.
    consent.opt_out(people["U2"], at=NOW)
    drain()
    recent, full = date(2027, 2, 22), date(2026, 12, 24)
    assert outcome(heads) == {"D": "invited", "I": "invited"}
    assert outcome(staff) == {
        "U1": ("no_consent", None),
        "U2": ("no_consent", None),
        "U3": "invited",
        "U4": ("client_cap", full),
        "U5": ("client_cap", full),
        "U6": ("client_cap", full),
    }
    assert outcome(everybody) == {
        "D": ("contact_cooldown", recent),
        "I": ("contact_cooldown", recent),
        "U1": ("no_consent", None),
        "U2": ("no_consent", None),
        **dict.fromkeys(("U3", "U4", "U5", "U6"), ("client_cap", full)),
    }
    assert sent(relay) == ["d@eight.example", "i@eight.example", "u3@eight.example"]


def test_fifth_of_a_year_waits_for_january_whatever_asks(relay):
    contact = make_contact(make_client(), external_id="FIVE")
    days = [datetime(2026, month, day, 2, tzinfo=UTC) for month, day in ((1, 5), (4, 7), (7, 7))]
    for at in [*days, datetime(2026, 9, 30, 2, tzinfo=UTC) + timedelta(days=8)]:
        assert outcome(launch(at)) == {"FIVE": ("", None)}
        drain(at)
    assert sent(relay) == [contact.email] * 4
    eve = datetime(2026, 12, 31, 2, tzinfo=UTC)
    assert outcome(launch(eve)) == {"FIVE": ("contact_cooldown", date(2027, 1, 6))}
    Invitation.objects.filter(contact=contact, sent_at__month=10).update(
        sent_at=datetime(2026, 9, 30, 2, tzinfo=UTC)
    )
    assert outcome(launch(eve)) == {"FIVE": ("yearly_cap", date(2027, 1, 1))}


def test_mail_moves_to_the_next_window_of_the_person_over_days_off_and_make_up_days(relay):
    reference.load(datetime(2026, 9, 1, tzinfo=UTC))
    make_contact(make_client(), external_id="HERE")
    make_contact(make_client(), external_id="BERLIN", time_zone="Europe/Berlin")
    # Wednesday before the National Day, half past six in the evening in Shanghai.
    eve = datetime(2026, 9, 30, 10, 30, tzinfo=UTC)
    launch(eve, send_window=True)
    rows = Delivery.objects.exclude(invitation__contact__email__startswith="passer-by@")
    due = dict(rows.values_list("invitation__contact__external_id", "next_try_at"))
    # Seven days off; then Thursday, and the Saturday after it is worked as well.
    assert due == {
        "HERE": datetime(2026, 10, 8, 1, 30, tzinfo=UTC),
        "BERLIN": datetime(2026, 9, 30, 12, 30, tzinfo=UTC),
    }
    friday = datetime(2026, 10, 9, 9, 0, tzinfo=UTC)
    make_contact(make_client(), external_id="SATURDAY")
    launch(friday, send_window=True)
    row = Delivery.objects.get(invitation__contact__external_id="SATURDAY")
    assert row.next_try_at == datetime(2026, 10, 10, 1, 30, tzinfo=UTC)
