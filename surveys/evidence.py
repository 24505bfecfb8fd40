"""Who or what opened a link: evidence only, never an answer and never an opt-out."""

from datetime import datetime

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, Subquery

from clients import machines
from surveys import traces
from surveys.models import Hit, Invitation

# A person follows one link of a mail, or thinks again; a gateway follows all of them.
GREEDY = 4


def note_hit(  # noqa: PLR0913 - one row, one argument per column
    invitation: Invitation,
    *,
    page: str,
    method: str,
    at: datetime,
    address: str | None = None,
    agent: str = "",
    score: int | None = None,
) -> Hit:
    """Write down one opening of a link; the text of the visitor is cut to what a column holds."""
    printable = "".join(sign for sign in agent[:300] if sign.isprintable())
    return Hit.objects.create(
        invitation=invitation,
        page=page,
        method=method[:8],
        at=at,
        address=address or None,
        agent=printable,
        score=score,
    )


def persons(prefix: str = "") -> Q:
    """Hits that look like a person: a GET of the survey by something that is no known machine."""
    return (
        Q(
            **{f"{prefix}page": Hit.Page.SURVEY, f"{prefix}method": "GET"},
        )
        & ~Q(**{f"{prefix}agent": ""})
        & ~Q(**{f"{prefix}agent__iregex": machines.NAMES})
    )


def _greedy() -> Exists:
    """Whether one address followed so many score links of the mail as no person does."""
    same = Hit.objects.filter(
        invitation=OuterRef("invitation"), address=OuterRef("address"), score__isnull=False
    )
    links = same.order_by().values("invitation").annotate(links=Count("score", distinct=True))
    return Exists(links.filter(links__gte=GREEDY))


def judge_visits(*, at: datetime) -> int:
    """Judge the hits that nobody has judged yet: person or machine; return how many.

    A person's first visit dates the opening and counts as a click of its mail. Done apart from
    the visit, so that opening the page stays one read and one line of evidence.
    """
    done = 0
    for _block in range(traces.BLOCKS):
        found = _judge_block(at)
        done += found
        if found < traces.BLOCK:
            break
    return done


@transaction.atomic
def _judge_block(at: datetime) -> int:
    waiting = Hit.objects.filter(person__isnull=True).select_for_update(skip_locked=True)
    keys = list(waiting.order_by("pk").values_list("pk", flat=True)[: traces.BLOCK])
    if not keys:
        return 0
    block = Hit.objects.filter(pk__in=keys)
    block.update(person=False)
    block.filter(persons(), ~_greedy()).update(person=True)
    visits = list(block.filter(person=True).values_list("invitation", "at"))
    first = Hit.objects.filter(person=True, invitation=OuterRef("pk")).order_by("at", "pk")
    opened = Invitation.objects.filter(pk__in={invitation for invitation, _moment in visits})
    opened.filter(opened_at__isnull=True).update(opened_at=Subquery(first.values("at")[:1]))
    traces.record_clicks(visits, at=at)
    return len(keys)
