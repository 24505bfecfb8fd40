"""How a campaign stands, for its page and the list: its status, the pre-flight, the wave."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from bank import formats
from bank import settings as values
from bank.models import User
from surveys import preflights, questionnaires, waves, words
from surveys.admin import turns
from surveys.models import Campaign

Status = Campaign.Status
# Ink-blue for what is going on, amber for what waits for a person, teal for what is well.
COLOURS = {
    Status.SCHEDULED: "dai",
    Status.SENDING: "dai",
    Status.PAUSED: "hu",
    Status.COLLECTING: "qing",
    Status.STOPPED: "zhu",
    Status.FAILED: "zhu",
}


def badge(campaign: Campaign) -> str:
    """The status as a word and a colour, with what one wants to know beside it."""
    mark = format_html(
        '<span class="badge badge-{}">{}</span>',
        COLOURS.get(Status(campaign.status), "none"),
        campaign.get_status_display(),
    )
    beside = _beside(campaign)
    return format_html('{} <span class="badge-more">{}</span>', mark, beside) if beside else mark


def draft(campaign: Campaign, person: User, *, may: bool, at: datetime) -> dict[str, Any]:
    """What the page of a draft shows: what a launch now would meet, and the buttons."""
    plan = preflights.plan(campaign, at=at)
    flight = preflights.judge(plan, at=at)
    checker_from = _checking(len(plan.eligible))
    return {
        "preflight": flight,
        "blockers": [_line(campaign, plan, note) for note in flight.blockers],
        "warnings": [_line(campaign, plan, note) for note in flight.warnings],
        "excluded": named(flight.excluded),
        "weeks": _weeks(plan),
        "checker_from": checker_from,
        "acts": turns.offered_for_draft(
            campaign,
            person,
            blocked=bool(flight.blockers),
            needs_checker=bool(checker_from),
            at=at,
        )
        if may
        else [],
    }


def links(campaign: Campaign, *, may: bool) -> list[tuple[str, str]]:
    """The pages beside this one, by the state of the campaign."""
    found = []
    if campaign.status in {Status.DRAFT, Status.SCHEDULED}:
        if may:
            test = reverse("admin:surveys_campaign_test", args=[campaign.pk])
            found.append((test, _("Test send")))
        version = campaign.version or questionnaires.current(campaign.questionnaire)
        if version is not None:
            page = reverse("admin:surveys_version_preview", args=[version.pk])
            found.append((page, _("Preview")))
    if campaign.status in {Status.COLLECTING, Status.CLOSED, Status.STOPPED}:
        found.append((f"{reverse('responses')}?campaign={campaign.pk}", _("Results")))
    return found


def exports(campaign: Campaign) -> str:
    """What the export of this campaign is called, where there is one."""
    names = {Status.CLOSED: _("Export"), Status.FAILED: _("Export failures")}
    return names.get(Status(campaign.status), "")


def named(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Why people are not asked, in words, with how many."""
    names = words.reasons()
    return [
        {"code": code, "name": names.get(code, code), "count": count}
        for code, count in counts.items()
    ]


def _beside(campaign: Campaign) -> str:
    """The time of a scheduled campaign, the progress of a sending one, the reason of a pause."""
    if campaign.status == Status.SCHEDULED:
        return formats.moment(campaign.send_at)
    if campaign.status == Status.PAUSED:
        return words.pause(campaign.pause_reason)
    # The list counts these; the page of one campaign tells more below.
    gone, to_go = getattr(campaign, "gone", None), getattr(campaign, "to_go", None)
    if gone is not None and to_go is not None:
        return f"{formats.number(gone)} / {formats.number(to_go)}"
    return getattr(campaign, "trouble", None) or ""


def _checking(recipients: int) -> int:
    """From how many recipients on a second person is needed, if these are as many; else 0."""
    threshold = int(values.get("campaign_checker_from"))
    return threshold if threshold and recipients >= threshold else 0


def _weeks(plan: preflights.Plan) -> list[dict[str, Any]]:
    """How many are asked in each week of a wave, and on which days."""
    if plan.campaign.weeks == 1:
        return []
    counts = Counter(plan.places.weeks.values())
    found = []
    for week in range(plan.campaign.weeks):
        days = waves.days(plan.start, week, plan.rules.calendar)
        found.append(
            {"number": week + 1, "first": days[0], "last": days[-1], "count": counts[week]}
        )
    return found


def _line(campaign: Campaign, plan: preflights.Plan, note: preflights.Note) -> dict[str, str]:
    """One finding with the place where it is put right."""
    return {"code": note.code, "text": note.text, "fix": _fix(campaign, plan, note.code)}


def _fix(campaign: Campaign, plan: preflights.Plan, code: str) -> str:
    """Where a finding is put right: a field of this page, or another page."""
    if code in _ANCHORS:
        return _ANCHORS[code]
    if code in {"missing_translation", "missing_variable", "long_survey"}:
        if plan.version is None:
            return reverse("admin:surveys_questionnaire_change", args=[campaign.questionnaire_id])
        return reverse("admin:surveys_version_change", args=[plan.version.pk])
    name, query = _PAGES[code]
    return reverse(f"admin:{name}", args=[campaign.pk] if name in _OWN else []) + query


_ANCHORS = {
    "no_recipients": "#id_client_codes",
    "closes_too_early": "#id_closes_at_0",
    "outside_window": "#id_send_at_0",
    "needs_checker": "#checking",
}
_OWN = {"surveys_campaign_test", "surveys_campaign_people"}
_PAGES = {
    "no_test_send": ("surveys_campaign_test", ""),
    "many_excluded": ("surveys_campaign_people", "?show=excluded"),
    "overlap": ("surveys_campaign_changelist", "?status__in=scheduled,sending,paused"),
    "sender_missing": ("bank_setting_changelist", ""),
}
