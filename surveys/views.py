"""The pages of the client: answer, thanks, correct, opt out, privacy."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation

from bank import formats, settings
from bank.http import only_reads
from bank.models import in_language
from clients import consent
from clients.models import Suppression
from surveys import answering, forms, http, links, pages, questionnaires, reference, sheets, visits
from surveys.models import Hit, Invitation, Question, Response

ONE_CLICK = "List-Unsubscribe"
UNDO = timedelta(minutes=10)
# What the page of the opt-out says after a press of its buttons.
NOTES = {"undone", "said"}
BUTTONS = {"stop", "undo", "tell"}
# A field of the form that no person sees; what fills it in is a program.
TRAP = "_more"
LOWEST = {Question.Type.NPS: 6, Question.Type.CSAT: 2, Question.Type.CES: 3}


@http.client_page
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the survey and records nothing but the visit; POST submits it once."""
    if request.method == "POST":
        return _posted(request, token)
    now = timezone.now()
    visit = http.visit(request, page=Hit.Page.SURVEY, at=now)
    invitation = visits.follow(links.digest(token), visit)
    if invitation is None:
        return http.missed(request)
    language = http.language_of(request, invitation)
    if invitation.state == Invitation.State.ANSWERED:
        return _already(invitation, token, language)
    if not answering.is_open(invitation, now):
        return http.gone(request, status=410)
    with translation.override(http.LANGUAGES[language]):
        score = _score(request, invitation)
        return http.send(pages.ready(invitation, language, score), language)


def _posted(request: HttpRequest, token: str) -> HttpResponse:
    invitation = visits.find(survey_digest=links.digest(token))
    if invitation is None:
        return http.missed(request)
    if invitation.state == Invitation.State.ANSWERED:
        return redirect("surveys:done", token)
    return _take(request, invitation, token)


@http.client_page
def view(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link leads that no person sees: the visit is noted, then it is the survey."""
    now = timezone.now()
    visit = http.visit(request, page=Hit.Page.TRAP, at=now)
    if visits.follow(links.digest(token), visit) is None:
        return http.missed(request)
    return redirect("surveys:answer", token)


@http.client_page
def edit(request: HttpRequest, token: str) -> HttpResponse:
    """Change an answer until the deadline: starts empty, takes effect by POST only."""
    invitation = visits.find("case", survey_digest=links.digest(token))
    if invitation is None:
        return http.missed(request)
    if not answering.is_open(invitation, timezone.now()):
        return http.gone(request, status=410)
    if invitation.state != Invitation.State.ANSWERED:
        return redirect("surveys:answer", token)
    if request.method == "POST":
        return _take(request, invitation, token)
    language = http.language_of(request, invitation)
    visits.note(invitation, http.visit(request, page=Hit.Page.SURVEY, at=timezone.now()))
    return _sheet(invitation, language, {}, {})


@http.client_page
def done(request: HttpRequest, token: str) -> HttpResponse:
    """The thanks: only what is true for this answer."""
    invitation = visits.find("client__manager", survey_digest=links.digest(token))
    if invitation is None:
        return http.missed(request)
    if request.method == "POST" or invitation.state != Invitation.State.ANSWERED:
        return redirect("surveys:answer", token)
    response = Response.objects.of_link(invitation)
    chosen = request.GET.get("lang")
    language = chosen if chosen in http.LANGUAGES else response.language
    with translation.override(http.LANGUAGES[language]):
        context = _thanks(invitation, answering.answers_of(response), language)
    context |= {"token": token, "trial": invitation.is_test}
    return http.page("surveys/done.html", context, language=language)


@http.client_page
def opt_out(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks; POST stops survey mail at once, for the button and for one-click clients alike."""
    invitation = visits.find("contact", opt_out_digest=links.digest(token))
    if invitation is None:
        return http.missed(request)
    now = timezone.now()
    language = http.language_of(request, invitation)
    if request.method != "POST":
        visits.note(invitation, http.visit(request, page=Hit.Page.OPT_OUT, at=now))
        return _stopping(invitation, language, note=next(iter(request.GET.keys() & NOTES), ""))
    one_click = request.POST.get(ONE_CLICK)
    if one_click is not None and one_click != "One-Click":
        return _stopping(invitation, language, status=400)
    note = "" if invitation.is_test else _decide(request, invitation, at=now)
    pressed = request.POST.keys() & BUTTONS and not invitation.is_test
    return _back_to(token, language, note=note) if pressed else _stopping(invitation, language)


def _decide(request: HttpRequest, invitation: Invitation, *, at: datetime) -> str:
    """Stop, take the stop back, or keep the reason; what the page then says."""
    why = request.POST.get("why")
    if "undo" in request.POST:
        if _may_undo(invitation):
            consent.return_(invitation.contact, at=at)
        return "&undone=1"
    if "tell" in request.POST:
        if why in Suppression.Why.values:
            consent.say_why(invitation.contact, why, at=at)
        return "&said=1" if why else ""
    consent.opt_out(invitation.contact, at=at)
    return ""


@only_reads
def privacy(request: HttpRequest) -> HttpResponse:
    """The notice on personal information, open to anybody."""
    chosen = request.GET.get("lang", "")
    spoken = (translation.get_language() or "zh-hans").split("-")[0]
    language = chosen if chosen in http.LANGUAGES else spoken
    notice = reference.privacy_notice()
    with translation.override(http.LANGUAGES[language]):
        words = {
            "bank_name": in_language(django_settings.BANK_NAME_ZH, django_settings.BANK_NAME_EN),
            "bank_address": settings.get(f"bank_address_{language}"),
            "hotline": settings.get("hotline"),
            "privacy_email": settings.get("privacy_email"),
        }
    text = {
        "heading": notice[f"title_{language}"],
        "body": questionnaires.fill(notice[f"body_{language}"], words),
    }
    return http.page("surveys/privacy.html", text, language=language)


def _stopping(
    invitation: Invitation, language: str, *, status: int = 200, note: str = ""
) -> HttpResponse:
    """Ask, or say since when nothing is sent any more and whether that can be undone here."""
    since = _stopped_at(invitation)
    context: dict[str, Any] = {
        "stopped": since is not None,
        "undo": _may_undo(invitation),
        "undone": note == "undone" and since is None,
        "said": note == "said",
        "trial": invitation.is_test,
    }
    with translation.override(http.LANGUAGES[language]):
        context["whys"] = list(Suppression.Why.choices)
        return http.page("surveys/opt_out.html", context, language=language, status=status)


def _stopped_at(invitation: Invitation) -> datetime | None:
    if invitation.is_test:
        return None
    rows = Suppression.objects.filter(
        address_digest=consent.digest(invitation.contact.email),
        reason=Suppression.Reason.OPTED_OUT,
    )
    return rows.values_list("at", flat=True).first()


def _may_undo(invitation: Invitation) -> bool:
    """Ten minutes after the tap; later a forwarded mail could switch surveys on again."""
    since = _stopped_at(invitation)
    return since is not None and timezone.now() - since < UNDO


def _back_to(token: str, language: str, *, note: str = "") -> HttpResponse:
    address = reverse("surveys:opt_out", args=[token])
    return redirect(f"{address}?lang={language}{note}")


def _take(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Submit or correct what was posted; a change of language only shows it again."""
    language = http.language_of(request, invitation)
    values = forms.read(questionnaires.questions(invitation.version), request.POST)
    switched = request.POST.get("_switch")
    if switched in http.LANGUAGES:
        return _sheet(invitation, switched, values, {})
    visit = http.visit(request, page=_page_posted(request), at=timezone.now())
    try:
        _record(invitation, values, language, visit)
    except answering.Invalid as refusal:
        # Somebody began: the funnel counts it, no figure does.
        visits.note(invitation, visit)
        return _sheet(invitation, language, values, refusal.faults)
    except answering.Closed:
        return http.gone(request, status=410)
    return redirect("surveys:done", token)


def _page_posted(request: HttpRequest) -> str:
    """The survey, unless a field was filled in that no person sees."""
    return Hit.Page.TRAP if request.POST.get(TRAP) else Hit.Page.SURVEY


def _record(
    invitation: Invitation, values: dict[str, Any], language: str, visit: visits.Visit
) -> None:
    if invitation.state != Invitation.State.ANSWERED:
        answering.submit(invitation, values, at=visit.at, language=language, visit=visit)
        return
    standing = Response.objects.select_related("invitation").of_link(invitation)
    answering.correct(standing, values, at=visit.at, language=language, visit=visit)


def _sheet(
    invitation: Invitation, language: str, values: dict[str, Any], faults: dict[str, str]
) -> HttpResponse:
    """The survey with what was typed; on a correction it says that the old answer still stands."""
    version = invitation.version
    sheet = sheets.Sheet(version, language, invitation.variables, values, faults)
    with translation.override(http.LANGUAGES[language]):
        answered = invitation.answered_at
        extra = {"editing": formats.day_in_text(answered) if answered else None}
        return http.send(pages.render(invitation, sheet, extra=extra), language)


def _already(invitation: Invitation, token: str, language: str) -> HttpResponse:
    with translation.override(http.LANGUAGES[language]):
        context = {
            "token": token,
            "when": formats.moment(invitation.answered_at),
            "until": _until(invitation),
            "trial": invitation.is_test,
        }
    return http.page("surveys/already.html", context, language=language)


def _thanks(invitation: Invitation, values: dict[str, Any], language: str) -> dict[str, Any]:
    version = invitation.version
    words = questionnaires.spoken(version, invitation.variables, language)
    questions = questionnaires.visible(
        questionnaires.questions(version), values, invitation.variables
    )
    manager = invitation.test_for or invitation.client.manager
    calls = [one for one in questions if one.type == Question.Type.CALLBACK]
    wanted = [values.get(one.key) == "yes" for one in calls]
    return {
        "attribution": version.attribution,
        "manager": manager.display_name if manager is not None else "",
        "low": any(_is_low(question, values.get(question.key)) for question in questions),
        "asked": bool(calls),
        "wanted": any(wanted),
        "closing": questionnaires.fill(in_language(version.closing_zh, version.closing_en), words),
        "until": _until(invitation),
    }


def _until(invitation: Invitation) -> str:
    """The last day for a correction, or nothing when it has passed."""
    if not answering.is_open(invitation, timezone.now()):
        return ""
    return formats.day_in_text(timezone.localtime(invitation.closes_at))


def _is_low(question: Question, value: Any) -> bool:
    limit = LOWEST.get(Question.Type(question.type))
    return limit is not None and isinstance(value, int) and value <= limit


def _score(request: HttpRequest, invitation: Invitation) -> int | None:
    """The score of the link, where the first question asks for one."""
    first = next(iter(questionnaires.questions(invitation.version)), None)
    if first is None or first.type != Question.Type.NPS:
        return None
    return http.SCORES.get(request.GET.get(first.key, ""))
