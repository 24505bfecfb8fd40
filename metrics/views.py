"""The pages of the indicators: all of them, one of them, and how a figure is made."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from bank.http import StaffRequest, only_reads, role_required
from metrics import forms, queries, words
from metrics.pages import indicator as one
from metrics.pages import listing, making
from metrics.sheets import sheet
from metrics.slicing.asking import Ask

KNOWN = frozenset(name for names in queries.METRICS.values() for name in names)


@only_reads
@role_required()
def indicators(request: StaffRequest) -> HttpResponse:
    """List every indicator of the bank or a team with its figure of the period."""
    given = _given(request)
    ask, errors = _read(given, request)
    page = listing.build(ask, given, viewer=request.user, at=timezone.now())
    context = {"section": "indicators", "page": page, "errors": errors}
    return render(request, "metrics/indicators.html", context, status=400 if errors else 200)


@only_reads
@role_required()
def indicator(request: StaffRequest, metric: str) -> HttpResponse:
    """Show one indicator: its figure, its parts, whether they differ, and its course."""
    given = _given(request) | {"metric": _known(metric)}
    ask, errors = _read(given, request)
    page = one.build(ask, given, viewer=request.user, at=timezone.now())
    context = {"section": "indicators", "page": page, "errors": errors}
    return render(request, "metrics/indicator.html", context, status=400 if errors else 200)


@only_reads
@role_required()
def made(request: StaffRequest, metric: str) -> HttpResponse:
    """Show how a figure is made: what went in, what did not and why, by which rule."""
    given = _given(request)
    number = given.pop("page", "1")
    try:
        given = making.translated(given, viewer=request.user) | {"metric": _known(metric)}
    except forms.NotFound as error:
        raise Http404 from error
    ask, errors = _read(given, request)
    page = making.build(ask, viewer=request.user, at=timezone.now(), number=number)
    context = {
        "section": "indicators",
        "page": page,
        "errors": errors,
        "name": words.metrics()[metric],
    }
    return render(request, "metrics/made.html", context, status=400 if errors else 200)


@only_reads
@role_required()
def export(request: StaffRequest, metric: str) -> HttpResponse:
    """The rows that the page of the indicator shows, as a file."""
    given = _given(request) | {"metric": _known(metric)}
    ask, errors = _read(given, request)
    if errors:
        return HttpResponse(status=400)
    page = one.build(ask, given, viewer=request.user, at=timezone.now())
    name = f'attachment; filename="{metric}.csv"'
    return HttpResponse(
        sheet(page), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name}
    )


def _given(request: StaffRequest) -> dict[str, str]:
    """What the form sent; an empty field asks for nothing."""
    return {name: value for name, value in request.GET.dict().items() if value}


def _known(metric: str) -> str:
    if metric not in KNOWN:
        raise Http404
    return metric


def _read(given: dict[str, str], request: StaffRequest) -> tuple[Ask, dict[str, Any]]:
    """The question, or the plain one of the metric with what is wrong about the other."""
    at = timezone.now()
    only = {"metric": given["metric"]} if "metric" in given else {}
    attempts: list[Callable[[], dict[str, str]]] = [
        lambda: _with_group(given),
        lambda: _with_group(only),
    ]
    errors: dict[str, Any] = {}
    for attempt in attempts:
        try:
            return forms.read(attempt(), viewer=request.user, at=at), errors
        except forms.NotFound as error:
            raise Http404 from error
        except forms.Refused as error:
            errors = errors or error.errors
    raise Http404


def _with_group(given: dict[str, str]) -> dict[str, str]:
    """What exists of single clients only is shown beside each other."""
    of_client = given.get("metric") not in {None, *queries.METRICS["bank"]}
    needed = of_client and not {"group_by", "client"} & set(given)
    return given | ({"group_by": "client"} if needed else {})
