"""A gateway with a real browser opens every link of a mail; a person answers after it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clients.models import Suppression
from surveys import evidence, links
from surveys.models import Hit, Invitation, Response
from tests import factories

AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
GATE, HOME = "192.0.2.7", "203.0.113.5"


@pytest.fixture
def visitor(open_page, settings):
    """A browser that scripts nothing of its own, seen as coming from an address."""
    settings.TRUSTED_PROXIES = 1

    def seen_from(address):
        return open_page(
            width=390, user_agent=AGENT, extra_http_headers={"X-Forwarded-For": address}
        )

    return seen_from


def test_gateway_that_runs_scripts_spends_nothing_and_a_person_answers_once(
    transactional_db, visitor
):
    now = timezone.now()
    invitation = factories.make_invitation(
        sent_at=now - timedelta(hours=1), closes_at=now + timedelta(days=9)
    )
    survey = links.path("answer", links.survey_token(invitation.uuid))
    way_out = links.path("opt_out", links.opt_out_token(invitation.uuid))
    scores = [f"{survey}?nps={score}" for score in range(11)]
    gateway = visitor(GATE)
    for link in [*scores, survey, f"{survey}view/", way_out]:
        gateway.request.head(link)
        gateway.goto(link, wait_until="load")
    # A form that sends itself would do so within a moment.
    gateway.wait_for_timeout(1_000)
    evidence.judge_visits(at=timezone.now())
    assert (Response.objects.count(), Suppression.objects.count()) == (0, 0)
    assert set(Hit.objects.values_list("address", "person")) == {(GATE, False)}
    assert Invitation.objects.get().opened_at is None

    person = visitor(HOME)
    person.goto(f"{survey}?nps=9")
    named = [one.get_attribute("href") for one in person.get_by_role("link").all()]
    assert not any("view/" in href for href in named)
    assert not person.locator("[name=_more]").is_visible()
    person.locator("label", has=person.locator("#csat-4")).click()
    person.locator("form#survey button.btn-p").click()
    person.wait_for_url("**/done/")
    evidence.judge_visits(at=timezone.now())
    assert Response.objects.get().invitation == invitation
    judged = set(Hit.objects.values_list("address", "person"))
    assert judged == {(GATE, False), (HOME, True)}
    assert not Response.objects.doubted().exists()
