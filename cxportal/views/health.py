"""Whether the product lives, for load balancers and the runner."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from bank.http import only_reads
from cxportal import heart

UNASKED = dict.fromkeys(("database", "broker", "worker", "beat"), "unasked")


@never_cache
@only_reads
def live(request: HttpRequest) -> JsonResponse:
    """The web server answers; asks nobody else, so an outage elsewhere restarts nothing here."""
    return JsonResponse({"status": "ok", "checks": UNASKED})


@never_cache
@only_reads
def ready(request: HttpRequest) -> JsonResponse:
    """503 without the database; `degraded` without broker, worker or beat: answers still count."""
    checks = {"database": _database(), **heart.states(at=timezone.now())}
    if checks["database"] != "ok":
        return JsonResponse({"status": "down", "checks": checks}, status=503)
    status = "ok" if set(checks.values()) == {"ok"} else "degraded"
    return JsonResponse({"status": status, "checks": checks})


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "down"
    return "ok"
