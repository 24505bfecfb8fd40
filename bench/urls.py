"""The product's addresses and the bare views they are compared with."""

from django.urls import path

from bench import bare
from cxportal import urls

urlpatterns = [
    path("bare/page/<str:token>/", bare.page),
    path("bare/submit/<str:token>/", bare.submit),
    *urls.urlpatterns,
]
