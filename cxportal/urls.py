"""All addresses of the product."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="overview"), name="home"),
    # staff pages
    # health and demo mail
    path("accounts/", include("bank.urls")),
    path("", include("surveys.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("cxportal.api")),
]
handler400 = "cxportal.views.errors.bad_request"
handler403 = "cxportal.views.errors.forbidden"
handler404 = "cxportal.views.errors.not_found"
handler500 = "cxportal.views.errors.broken"
