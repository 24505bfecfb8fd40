"""All addresses of the product."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_POST
from django.views.generic import RedirectView
from django.views.i18n import set_language

from bank.http import only_reads
from cxportal.views import (
    campaigns,
    cases,
    clients,
    contacts,
    demo_mail,
    dossiers,
    health,
    icons,
    imports,
    overview,
    responses,
)

urlpatterns = [
    path("", only_reads(RedirectView.as_view(pattern_name="overview")), name="home"),
    path("favicon.ico", icons.favicon, name="favicon"),
    path("i18n/setlang/", require_POST(set_language), name="set_language"),
    path("overview/", overview.overview, name="overview"),
    path("overview/export/", overview.export, name="overview_export"),
    path("clients/", clients.client_list, name="clients"),
    path("clients/<path:code>/log-contact/", contacts.log, name="log-contact"),
    path(
        "clients/<path:code>/log-contact/<int:pk>/take-back/",
        contacts.take_back,
        name="take-back-contact",
    ),
    # A code may hold slashes, so the parts of a client stand before the client itself.
    path("clients/<path:code>/contacts/", dossiers.contacts, name="client-contacts"),
    path("clients/<path:code>/cases/", dossiers.cases, name="client-cases"),
    path("clients/<path:code>/financials/", dossiers.financials, name="client-financials"),
    path("clients/<path:code>/engagement/", dossiers.engaged, name="client-engagement"),
    path("clients/<path:code>/history/", dossiers.history, name="client-history"),
    path("clients/<path:code>/", dossiers.client, name="client"),
    path("cases/", cases.case_list, name="cases"),
    path("cases/<path:number>/", cases.case, name="case"),
    path("responses/", responses.response_list, name="responses"),
    path("responses/<path:response_id>/", responses.response, name="response"),
    path("campaigns/", campaigns.campaign_list, name="campaigns"),
    path("campaigns/<int:pk>/", campaigns.campaign, name="campaign"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("demo/mail/", demo_mail.inbox, name="demo-mail"),
    path("demo/mail/<str:name>/", demo_mail.message, name="demo-mail-message"),
    path("demo/mail/<str:name>/html/", demo_mail.body, name="demo-mail-body"),
    path("accounts/", include("bank.urls")),
    path("", include("surveys.urls")),
    path("", include("metrics.urls")),
    path("admin/imports/", admin.site.admin_view(imports.page.import_action), name="imports"),
    path(
        "admin/imports/apply/",
        admin.site.admin_view(imports.page.process_import),
        name="imports-apply",
    ),
    path(
        "admin/imports/template/<str:kind>.<str:suffix>",
        admin.site.admin_view(imports.template),
        name="imports-template",
    ),
    path("admin/", admin.site.urls),
    path("api/v1/", include("cxportal.api")),
]
handler400 = "cxportal.views.errors.bad_request"
handler403 = "cxportal.views.errors.forbidden"
handler404 = "cxportal.views.errors.not_found"
handler500 = "cxportal.views.errors.broken"
