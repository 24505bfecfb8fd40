"""The progress of a campaign in a real browser: looked up while it sends, and no longer."""

import pytest
from django.utils import timezone

from bank import reference
from surveys.models import Campaign, Delivery, Invitation
from tests import factories
from tests.e2e.conftest import violations


@pytest.fixture
def sending(bank):
    """A campaign with four mails to come."""
    reference.load(at=timezone.now())
    campaign = factories.make_campaign(status="sending", launched_at=timezone.now())
    for _ in range(4):
        invitation = factories.make_invitation(
            factories.make_contact(bank.clients[0]),
            campaign=campaign,
            version=campaign.version,
            state="planned",
            sent_at=None,
        )
        Delivery.objects.create(
            invitation=invitation, message_id=f"<{invitation.uuid}@x>", next_try_at=timezone.now()
        )
    return campaign


def let_leave(count: int) -> None:
    rows = Delivery.objects.filter(state="queued").order_by("pk")[:count]
    keys = [row.pk for row in rows]
    now = timezone.now()
    Delivery.objects.filter(pk__in=keys).update(state="sent", sent_at=now, settled_at=now)
    Invitation.objects.filter(deliveries__in=keys).update(state="invited", sent_at=now)


def test_page_follows_the_sending_and_says_each_quarter_aloud(sending, open_page):
    page = open_page("admin", language="en")
    page.goto(f"/admin/surveys/campaign/{sending.pk}/change/")
    let_leave(2)
    page.get_by_text("50% sent: 2 of 4").wait_for(state="attached", timeout=15_000)
    assert page.locator(".progress-top b").inner_text() == "2"
    let_leave(2)
    Campaign.objects.update(status="collecting")
    page.locator("[data-ended]").wait_for(timeout=15_000)
    assert page.locator("[data-said]").text_content() == "100% sent: 4 of 4"
    assert page.faults == []
    # Last, because axe itself tries what the page's policy forbids here.
    assert violations(page) == []


def test_page_that_cannot_look_says_so_and_stops(sending, open_page):
    page = open_page("admin", language="en")
    page.goto(f"/admin/surveys/campaign/{sending.pk}/change/")
    asked = []
    page.route("**/progress/", lambda route: (asked.append(1), route.abort()))
    page.locator("[data-failed]").wait_for(timeout=15_000)
    page.wait_for_timeout(6_000)
    assert len(asked) == 1
    assert page.locator(".progress-top b").inner_text() == "0"
