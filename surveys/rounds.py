"""The quick road of one mail through the ledger: settle by one statement, mark by one.

Both are PostgreSQL's and say yes only where the ledger would: whoever gets no yes asks
`surveys.ledger`, which knows every other outcome, every reason, and the other database.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from bank import mail
from clients import consent
from surveys import clearance, governance, occasions
from surveys.models import Delivery

_SETTLE = """
WITH told AS (
    UPDATE surveys_delivery
    SET state = 'sent', sent_at = %(at)s, settled_at = %(at)s, attempt = attempt + 1,
        last_error = '', relay_reply = %(reply)s, lease_until = NULL
    WHERE id = %(delivery)s AND state = 'sending' AND claimed_by = %(holder)s
    RETURNING invitation_id
), invited AS (
    UPDATE surveys_invitation
    SET sent_at = %(at)s, state = CASE state WHEN 'planned' THEN 'invited' ELSE state END
    WHERE id IN (SELECT invitation_id FROM told) AND sent_at IS NULL AND test_of_id IS NULL
)
SELECT invitation_id FROM told
"""
# A statement of its own: what follows must see the marks of whoever held the client before.
_LOCK = "SELECT id FROM clients_client WHERE id = %(client)s FOR NO KEY UPDATE"
_MARK = """
UPDATE surveys_delivery
SET state = 'sending', lease_until = %(lease)s
FROM surveys_invitation own
JOIN clients_contact person ON person.id = own.contact_id AND person.client_id = own.client_id
LEFT JOIN surveys_campaign wave ON wave.id = own.campaign_id
WHERE surveys_delivery.id = %(delivery)s
    AND own.id = surveys_delivery.invitation_id
    AND surveys_delivery.state = 'claimed'
    AND surveys_delivery.claimed_by = %(holder)s
    AND surveys_delivery.lease_until > %(at)s
    AND own.state IN ('planned', 'invited')
    AND own.closes_at > %(at)s
    AND own.occasion_id IS NULL
    AND (wave.id IS NULL OR wave.status IN ('scheduled', 'sending', 'collecting'))
    AND (%(inside)s OR NOT COALESCE(wave.send_window, TRUE))
    AND person.email = %(email)s
    AND person.left_on IS NULL
    AND EXISTS (
        SELECT FROM clients_consent
        WHERE contact_id = person.id AND purpose = 'survey' AND state = 'yes')
    AND NOT EXISTS (SELECT FROM clients_suppression WHERE address_digest = %(digest)s)
    AND NOT EXISTS (
        SELECT FROM clients_freeze WHERE client_id = own.client_id AND ended_at IS NULL)
    AND NOT EXISTS (
        SELECT FROM clients_case
        WHERE client_id = own.client_id AND stage IN ('declined', 'overdue', 'recovery'))
    AND NOT EXISTS (
        SELECT FROM surveys_invitation other
        WHERE other.contact_id = person.id AND other.id <> own.id
            AND other.sent_at > %(cooldown)s)
    AND %(places)s > (
        SELECT count(DISTINCT other.contact_id) FROM surveys_invitation other
        WHERE other.client_id = own.client_id AND other.contact_id <> person.id
            AND other.sent_at > %(cap)s)
    AND %(yearly)s > (
        SELECT count(*) FROM surveys_invitation other
        WHERE other.contact_id = person.id AND other.id <> own.id
            AND other.sent_at >= %(year)s)
    AND NOT EXISTS (
        SELECT FROM surveys_invitation other
        WHERE other.contact_id = person.id AND other.state = 'planned'
            AND other.occasion_id IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM surveys_occasion event
        JOIN surveys_trigger asking ON asking.id = event.trigger_id
        WHERE event.client_id = own.client_id AND event.state = 'waiting'
            AND asking.is_active AND asking.priority < %(rank)s)
    AND NOT EXISTS (
        SELECT FROM surveys_invitation other
        JOIN surveys_delivery open ON open.invitation_id = other.id
        WHERE (other.client_id = own.client_id OR other.contact_id = person.id)
            AND other.id <> own.id AND open.kind = 'invitation'
            AND (open.state IN ('sending', 'unknown')
                OR open.state IN ('queued', 'claimed', 'retry') AND open.losses > 0))
    AND NOT EXISTS (
        SELECT FROM bank_setting WHERE key = 'mail_held' AND value <> 'false'::jsonb)
"""


def settle(delivery: Delivery, outcome: mail.Outcome, *, holder: str, at: datetime) -> bool:
    """Write down an accepted mail that is still ours; False: the ledger must look at it."""
    if outcome.kind != "accepted" or connection.vendor != "postgresql":
        return False
    values = {
        "at": at,
        "reply": outcome.reply,
        "delivery": delivery.pk,
        "holder": holder,
    }
    return _rows(_SETTLE, values) == 1


def mark(delivery: Delivery, *, holder: str, rules: governance.Book, at: datetime) -> bool:
    """Mark a mail against which nothing at all speaks; False: the ledger judges it.

    The statement is stricter than the rules: it takes any freeze, declined or overdue case,
    closed address, open mail to the same client, or event that goes first for it for a reason
    to ask the ledger, and leaves to it whatever a trigger asks.
    """
    if connection.vendor != "postgresql":
        return False
    person = delivery.invitation.contact
    places, days = rules.parameters.get("client_cap", (1_000_000, 0))
    values = {
        "delivery": delivery.pk,
        "holder": holder,
        "at": at,
        "lease": at + timedelta(seconds=settings.SEND_LEASE_SECONDS),
        "inside": rules.next_send(person, at=at) <= at,
        "email": person.email,
        "digest": consent.digest(person.email),
        "cooldown": at - timedelta(days=rules.parameters.get("contact_cooldown", 0)),
        "places": places,
        "cap": at - timedelta(days=days),
        "yearly": rules.parameters.get("yearly_cap", 1_000_000),
        "year": occasions.midnight(occasions.day(at).replace(month=1, day=1)),
        "rank": clearance.CAMPAIGN_PRIORITY,
    }
    _rows(_LOCK, {"client": delivery.invitation.client_id})
    return _rows(_MARK, values) == 1


def _rows(statement: str, values: Mapping[str, Any]) -> int:
    """Run a prepared statement: to plan one of these takes longer than to run it."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement, values, prepare=True).rowcount
