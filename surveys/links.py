"""The two secret links of an invitation: to the survey and to opt out.

A link is recomputed from the invitation's number, so a reminder repeats it; the database keeps
its digest only, so a copy of the database opens no survey.
"""

import base64
import hashlib
import hmac
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.urls import reverse

LENGTH = 43


def survey_token(uuid: UUID) -> str:
    """The capability to answer one invitation."""
    return _token("survey", uuid)


def opt_out_token(uuid: UUID) -> str:
    """The capability to stop survey mail to the invited person; it opens no survey."""
    return _token("opt-out", uuid)


def digest(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def survey_url(uuid: UUID) -> str:
    """The full address for a mail, from the settings and never from a request."""
    return settings.PUBLIC_BASE_URL + path("answer", survey_token(uuid))


def opt_out_url(uuid: UUID) -> str:
    """The full address of the opt-out page, for the body and the header of a mail."""
    return settings.PUBLIC_BASE_URL + path("opt_out", opt_out_token(uuid))


def privacy_url() -> str:
    """The full address of the notice on personal information."""
    return settings.PUBLIC_BASE_URL + reverse("surveys:privacy")


def path(page: str, token: str) -> str:
    """The path of a page of this link; where it stands among our addresses is asked once."""
    before, after = _around(page)
    return before + token + after


@lru_cache
def _around(page: str) -> tuple[str, str]:
    nobody = "-" * LENGTH
    before, _nobody, after = reverse(f"surveys:{page}", args=[nobody]).partition(nobody)
    return before, after


def _token(purpose: str, uuid: UUID) -> str:
    mac = hmac.digest(settings.SECRET_KEY.encode(), f"{purpose}|{uuid}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
