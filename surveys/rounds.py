"""The quick road of a round through the ledger: settle by one statement, mark by one.

Both are PostgreSQL's and say yes only where the ledger would: what gets no yes is asked of
`surveys.ledger` and `surveys.outcomes`, which know every other outcome, every reason, and the
other database.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.db import connection

from bank.replies import Outcome
from clients import consent
from surveys import clearance, governance, ledger, occasions
from surveys.models import Delivery

Sent = tuple[Delivery, Outcome]

_SETTLE = """
WITH told AS (
    UPDATE surveys_delivery
    SET state = 'sent', sent_at = %(at)s, settled_at = %(at)s, attempt = attempt + 1, taken = 0,
        last_error = '', relay_reply = verdict.reply, lease_until = NULL
    FROM UNNEST(%(deliveries)s::bigint[], %(replies)s::text[]) verdict (key, reply)
    WHERE id = verdict.key AND state = 'sending' AND claimed_by = %(holder)s
    RETURNING id, invitation_id
), held AS (
    SELECT id FROM surveys_invitation WHERE id IN (SELECT invitation_id FROM told)
    ORDER BY id FOR NO KEY UPDATE
), invited AS (
    UPDATE surveys_invitation
    SET sent_at = %(at)s, state = CASE state WHEN 'planned' THEN 'invited' ELSE state END
    WHERE id IN (SELECT id FROM held) AND sent_at IS NULL AND test_of_id IS NULL
)
SELECT id FROM told
"""
# A statement of its own: what follows must see the marks of whoever held the clients before.
_LOCK = """
SELECT id FROM clients_client WHERE id = ANY(%(clients)s) ORDER BY id FOR NO KEY UPDATE
"""
_MARK = """
UPDATE surveys_delivery
SET state = 'sending', lease_until = %(lease)s
FROM UNNEST(
    %(deliveries)s::bigint[], %(emails)s::text[], %(digests)s::text[], %(inside)s::boolean[]
) claim (key, email, digest, inside)
CROSS JOIN surveys_invitation own
JOIN clients_contact person ON person.id = own.contact_id AND person.client_id = own.client_id
LEFT JOIN surveys_campaign wave ON wave.id = own.campaign_id
WHERE surveys_delivery.id = claim.key
    AND own.id = surveys_delivery.invitation_id
    AND surveys_delivery.state = 'claimed'
    AND surveys_delivery.claimed_by = %(holder)s
    AND surveys_delivery.lease_until > %(at)s
    AND own.state IN ('planned', 'invited')
    AND own.closes_at > %(at)s
    AND own.occasion_id IS NULL
    AND (wave.id IS NULL OR wave.status IN ('scheduled', 'sending', 'collecting'))
    AND (claim.inside OR NOT COALESCE(wave.send_window, TRUE))
    AND person.email = claim.email
    AND person.left_on IS NULL
    AND EXISTS (
        SELECT FROM clients_consent
        WHERE contact_id = person.id AND purpose = 'survey' AND state = 'yes')
    AND NOT EXISTS (SELECT FROM clients_suppression WHERE address_digest = claim.digest)
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
RETURNING surveys_delivery.id
"""
# What the statement knows to judge. With any other rule in force the ledger judges every mail.
RULES = {
    "no_consent",
    "contact_cooldown",
    "client_cap",
    "lower_priority",
    "decline_freeze",
    "overdue_or_recovery",
    "open_complaint",
    "compliance_hold",
    "yearly_cap",
    "quiet_hours",
    "left_company",
    "address_bounced",
    "follow_up_open",
}


def settle(sent: Sequence[Sent], *, holder: str, at: datetime) -> set[int]:
    """Write down the accepted mails that are still ours; return their keys."""
    good = [(delivery, outcome) for delivery, outcome in sent if outcome.kind == "accepted"]
    if not good or connection.vendor != "postgresql":
        return set()
    values = {
        "at": at,
        "deliveries": [delivery.pk for delivery, _outcome in good],
        "replies": [outcome.reply for _delivery, outcome in good],
        "holder": holder,
    }
    return _keys(_SETTLE, values)


def mark(
    deliveries: Sequence[Delivery], *, holder: str, rules: governance.Book, at: datetime
) -> set[int]:
    """Mark the mails against which nothing at all speaks; the ledger judges the others.

    The statement is stricter than the rules: it takes any freeze, declined or overdue case,
    closed address, open mail to the same client, or event that goes first for it for a reason
    to ask the ledger, and leaves to it whatever a trigger asks, and the second mail to a client
    in the same round.
    """
    if not deliveries or connection.vendor != "postgresql" or rules.positions.keys() - RULES:
        return set()
    first = {delivery.invitation.client_id: delivery for delivery in reversed(deliveries)}
    asked = sorted(first.values(), key=lambda delivery: delivery.pk)
    people = [delivery.invitation.contact for delivery in asked]
    places, days = rules.parameters.get("client_cap", (1_000_000, 0))
    values = {
        "deliveries": [delivery.pk for delivery in asked],
        "emails": [person.email for person in people],
        "digests": [consent.digest(person.email) for person in people],
        "inside": [rules.next_send(person, at=at) <= at for person in people],
        "holder": holder,
        "at": at,
        "lease": ledger.lease(at),
        "cooldown": at - timedelta(days=rules.parameters.get("contact_cooldown", 0)),
        "places": places,
        "cap": at - timedelta(days=days),
        "yearly": rules.parameters.get("yearly_cap", 1_000_000),
        "year": occasions.midnight(occasions.day(at).replace(month=1, day=1)),
        "rank": clearance.CAMPAIGN_PRIORITY,
    }
    _keys(_LOCK, {"clients": [*first]})
    return _keys(_MARK, values)


def _keys(statement: str, values: Mapping[str, Any]) -> set[int]:
    """Run a prepared statement: to plan one of these takes longer than to run it."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return {key for (key,) in cursor.execute(statement, values, prepare=True)}
