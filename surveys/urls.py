"""Addresses of the client: survey and opt-out links."""

from django.urls import URLPattern

app_name = "surveys"
urlpatterns: list[URLPattern] = []
