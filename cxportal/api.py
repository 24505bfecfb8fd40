"""The one router of the REST API, its description, and a JSON word for unknown addresses."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.urls import include, path, re_path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import APIRootView, DefaultRouter
from rest_framework.views import APIView

import clients.api
import metrics.api
import surveys.api
from bank.api.lists import public


class Unknown(APIView):
    """Whatever is no address of the API."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Say so in the form of every other refusal."""
        raise NotFound(_("There is no such address."))

    post = put = patch = delete = get


class Root(APIRootView):
    """The resources and their addresses."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Name each resource."""
        answer = super().get(request, *args, **kwargs)
        return Response({name: public(link) for name, link in answer.data.items()})


router = DefaultRouter()
router.APIRootView = Root
router.include_format_suffixes = False
# What lies below a client or a case comes first: a code may hold a slash.
router.register(
    r"clients/(?P<code>.+)/indicators", metrics.api.ClientIndicators, "client-indicator"
)
router.register(r"clients/(?P<code>.+)/timeline", surveys.api.Timeline, "client-timeline")
router.register(r"clients/(?P<code>.+)/events", clients.api.Events, "client-event")
router.register(r"cases/(?P<number>.+)/milestones", clients.api.Milestones, "case-milestone")
router.register("clients", clients.api.Clients, "client")
router.register("contacts", clients.api.Contacts, "contact")
router.register("cases", clients.api.Cases, "case")
router.register("facilities", clients.api.Facilities, "facility")
router.register("touchpoints", clients.api.Touchpoints, "touchpoint")
router.register("transactions", clients.api.Transactions, "transaction")
router.register("questionnaires", surveys.api.Questionnaires, "questionnaire")
router.register("campaigns", surveys.api.Campaigns, "campaign")
router.register("invitations", surveys.api.Invitations, "invitation")
router.register("responses", surveys.api.Replies, "response")
router.register("indicators", metrics.api.Indicators, "indicator")

app_name = "api"
# The page that shows the schema sets styles from its script; no other page may.
_styled = csp_update({"style-src": [SELF, "'unsafe-inline'"]})

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "docs/",
        require_safe(_styled(SpectacularSwaggerSplitView.as_view(url_name="api:schema"))),
        name="docs",
    ),
    path("", include(router.urls)),
    re_path(r"^.*/$", Unknown.as_view()),
]
