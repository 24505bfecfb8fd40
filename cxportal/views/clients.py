"""Stub."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def client_list(request: HttpRequest, **names: str) -> HttpResponse:
    return render(request, "base.html", {"section": "clients"})


@login_required
def client(request: HttpRequest, **names: str) -> HttpResponse:
    return render(request, "base.html", {"section": "clients"})
