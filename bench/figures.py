"""R1: all figures of one client after one answer, against one read and one upsert."""

from datetime import timedelta
from itertools import count

from django.db import connection, transaction
from django.utils import timezone

from bench import people
from bench.measuring import Goal, Line, in_turn, seconds
from metrics import recompute
from metrics.models import Measurement
from surveys import questionnaires
from surveys.models import Answer, Invitation, Response

GOAL = Goal("R1", 3, at_least=False)
CLIENTS, ROUNDS = 1_000, 7
_READ = """
SELECT answer.value, answer.question_id, response.contact_id, response.submitted_at
FROM surveys_response response JOIN surveys_answer answer ON answer.response_id = response.id
WHERE response.client_id = %s AND response.retracted_at IS NULL
"""
_COLUMNS = [field.column for field in Measurement._meta.concrete_fields if field.column != "id"]


def measure(scale: float) -> Line:
    """Each client gets one new answer, then its figures; the floor writes the same rows."""
    clients = max(60, int(CLIENTS * scale))
    asked = people.invitations(people.contacts(clients, "R1"), "R1", at=timezone.now())
    numbers = count()
    ids = [one.client_id for one in asked]
    upsert = _upsert()

    def ours() -> float:
        _answer(asked, next(numbers))
        at = timezone.now()
        return seconds(lambda: [recompute.refresh(one, at=at) for one in ids]) / clients

    def theirs() -> float:
        _answer(asked, next(numbers))
        rows = [_finished(one) for one in ids]
        work = zip(ids, rows, strict=True)
        return seconds(lambda: [_floor(one, made, upsert) for one, made in work]) / clients

    a, b = in_turn(ours, theirs, rounds=ROUNDS)
    figures = Measurement.objects.filter(scope="client", scope_id=ids[0]).count()
    told = (
        f"{figures} figures of a client, {min(a) * 1e3:.1f} ms; one indexed read and one "
        f"upsert of the same rows in a transaction {min(b) * 1e3:.1f} ms"
    )
    return Line(GOAL, [x / y for x, y in zip(a, b, strict=True)], told)


def _floor(client: int, made: list[tuple[object, ...]], upsert: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_READ, [client])
        cursor.fetchall()
        places = ",".join(["(" + ",".join(["%s"] * len(_COLUMNS)) + ")"] * len(made))
        cursor.execute(upsert % places, [value for row in made for value in row])


def _upsert() -> str:
    columns = ", ".join(f'"{name}"' for name in _COLUMNS)
    key = ("scope", "scope_id", "slice", "population", "period", "metric")
    changes = ", ".join(f'"{name}" = EXCLUDED."{name}"' for name in _COLUMNS if name not in key)
    conflict = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    return f"INSERT INTO metrics_measurement ({columns}) VALUES %s {conflict}"  # noqa: S608


def _finished(client: int) -> list[tuple[object, ...]]:
    """The rows as they stand, each with another number in it, so that all are written."""
    rows = Measurement.objects.filter(scope="client", scope_id=client)
    fields = [field for field in Measurement._meta.concrete_fields if field.column != "id"]
    return [
        tuple(
            field.get_db_prep_save(getattr(row, field.attname), connection)
            if field.column != "n"
            else row.n + 1
            for field in fields
        )
        for row in rows
    ]


def _answer(asked: list[Invitation], number: int) -> None:
    """One more response of every client, of no invitation, with all answers of the scale."""
    at = timezone.now() - timedelta(minutes=1)
    questions = [one for one in questionnaires.questions(asked[0].version) if one.hi is not None]
    made = Response.objects.bulk_create(
        Response(
            response_id=f"R1-{number}-{one.pk}",
            client_id=one.client_id,
            contact_id=one.contact_id,
            version_id=one.version_id,
            language="zh",
            submitted_at=at,
        )
        for one in asked
    )
    Answer.objects.bulk_create(
        Answer(
            response=response,
            question=question,
            value=(question.lo or 0) + (number + index) % (question.hi - (question.lo or 0) + 1),
        )
        for index, response in enumerate(made)
        for question in questions
    )
