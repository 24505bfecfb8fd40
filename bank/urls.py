"""Sign-in, sign-out and language."""

from django.urls import URLPattern

app_name = "bank"
urlpatterns: list[URLPattern] = []
