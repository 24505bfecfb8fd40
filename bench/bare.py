"""The floor of a page: one indexed read, or one response with four answers, and nothing else."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from surveys.models import Answer, Invitation, Response

# A page as large as the one it is compared with, and the questions of the four answers.
BODY = [b""]
QUESTIONS: list[int] = []


def page(request: HttpRequest, token: str) -> HttpResponse:
    """Read the invitation and send a finished page."""
    Invitation.objects.only("pk").get(survey_digest=token)
    return HttpResponse(BODY[0])


@csrf_exempt
def submit(request: HttpRequest, token: str) -> HttpResponse:
    """Write a response and its answers, unchecked."""
    client, version = (int(request.POST[name]) for name in ("client", "version"))
    with transaction.atomic():
        response = Response.objects.create(
            response_id=token,
            client_id=client,
            version_id=version,
            language="zh",
            submitted_at=timezone.now(),
        )
        Answer.objects.bulk_create(
            [Answer(response=response, question_id=one, value=5) for one in QUESTIONS]
        )
    return HttpResponse(status=302, headers={"Location": "/"})
