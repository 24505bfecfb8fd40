"""A large invented bank, seeded in SQL: clients, persons, answers of a year, events of a quarter.

Everything follows from the number of a row, so that every run has the same bank. Calling `grow`
again with a larger number adds the clients that are missing.
"""

from django.db import connection

from bench import people
from clients.models import Client
from surveys import questionnaires

CONTACTS, RESPONSES, ANSWERS, EVENTS = 4, 25, 2, 200
_TEAMS = 20
_KINDS = ("login", "page_view", "message_delivered", "message_click", "call")


def grow(clients: int) -> None:
    """Seed up to so many clients, each with 25 responses of 2 answers and 200 events."""
    first = Client.objects.filter(code__startswith="R2-").count()
    questions = [
        one.pk for one in questionnaires.questions(people.version()) if one.type in ("nps", "csat")
    ][:ANSWERS]
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for statement in _STATEMENTS:
            cursor.execute(
                statement,
                {
                    "first": first,
                    "last": clients - 1,
                    "at": people.AT,
                    "version": people.version().pk,
                    "questions": questions,
                    "teams": _TEAMS,
                    "contacts": CONTACTS,
                    "responses": RESPONSES,
                    "events": EVENTS,
                    "kinds": list(_KINDS),
                },
            )


_STATEMENTS = (
    """
INSERT INTO bank_team (code, name_zh, name_en)
SELECT 'R2-' || n, '团队 ' || n, 'Team ' || n
FROM generate_series(0, %(teams)s - 1) n
WHERE NOT EXISTS (SELECT 1 FROM bank_team WHERE code = 'R2-' || n)
""",
    """
INSERT INTO clients_client (code, name_zh, name_en, short_name, kind, segment, status, is_demo,
    team_id)
SELECT 'R2-' || LPAD(n::text, 7, '0'), '云汀第' || n || '公司', 'Yunting ' || n, '', 'corporate',
    CASE WHEN n %% 5 = 0 THEN 'project_finance' ELSE 'corporate' END, 'active', false, team.id
FROM generate_series(%(first)s, %(last)s) n
JOIN bank_team team ON team.code = 'R2-' || (n %% %(teams)s)
""",
    """
INSERT INTO clients_contact (external_id, client_id, name, salutation, position, phone,
    time_zone, email, buying_role, language, is_demo)
SELECT client.code || '-' || n, client.id, '程' || n, '', '', '', '',
    client.id || '.' || n || '@r2.example', 'user', 'zh', false
FROM clients_client client CROSS JOIN generate_series(1, %(contacts)s) n
WHERE client.code LIKE 'R2-%%' AND RIGHT(client.code, 7)::int BETWEEN %(first)s AND %(last)s
""",
    """
INSERT INTO surveys_response (response_id, client_id, contact_id, version_id, language, channel,
    submitted_at, is_test, revision, is_demo)
SELECT contact.external_id || '-' || n, contact.client_id, contact.id, %(version)s, 'zh', 'email',
    %(at)s - make_interval(mins => ((contact.id * 7919 + n * 104729) %% 525600)::int), false, 1,
    false
FROM clients_contact contact CROSS JOIN generate_series(1, %(responses)s) n
WHERE contact.external_id LIKE 'R2-%%'
    AND SUBSTRING(contact.external_id, 4, 7)::int BETWEEN %(first)s AND %(last)s
    AND n %% %(contacts)s = RIGHT(contact.external_id, 1)::int - 1
""",
    """
INSERT INTO surveys_answer (response_id, question_id, value, na, text, choices)
SELECT response.id, question.id,
    question.lo + (response.id * 31 + question.id) %% (question.hi - question.lo + 1),
    false, '', '[]'
FROM surveys_response response
JOIN surveys_question question ON question.id = ANY(%(questions)s)
WHERE response.response_id LIKE 'R2-%%'
    AND SUBSTRING(response.response_id, 4, 7)::int BETWEEN %(first)s AND %(last)s
""",
    """
INSERT INTO clients_touchpoint (event_id, client_id, contact_id, kind, at, quantity, source)
SELECT client.code || '-' || n, client.id, NULL, (%(kinds)s::text[])[1 + n %% 5],
    %(at)s - make_interval(mins => ((client.id * 6007 + n * 641) %% 129600)::int), 1, 'bench'
FROM clients_client client CROSS JOIN generate_series(1, %(events)s) n
WHERE client.code LIKE 'R2-%%' AND RIGHT(client.code, 7)::int BETWEEN %(first)s AND %(last)s
""",
    "ANALYZE",
)
