"""Which part of the answers and of the clients is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from clients.models import Contact
from surveys.models import Questionnaire


@dataclass(frozen=True, slots=True)
class Where:
    """A cut through answers and clients; what is null does not cut.

    Of the answer: `questionnaire` and `campaign` by number, the code of the `stage` whose
    milestone caused its invitation, the `product_family` of its case, the `buying_role` of who
    answered, and who was promised to see it (`promises`). Of the client: `team` by number, with
    those below it, `segment`, `size`, `industry` (letter of the section or code of the
    division), and a list of `clients`. The numbers of responses in `without` stay out of answers.
    """

    questionnaire: int | None = None
    campaign: int | None = None
    stage: str | None = None
    product_family: str | None = None
    buying_role: str | None = None
    promises: tuple[str, ...] | None = None
    team: int | None = None
    segment: str | None = None
    size: str | None = None
    industry: str | None = None
    clients: tuple[int, ...] | None = None
    without: tuple[int, ...] = ()


EVERYTHING = Where()
POPULATIONS = tuple(Questionnaire.Kind.values)
By = Literal["", "campaign", "stage", "questionnaire", "product_family", "buying_role"]
ROLES = tuple(str(role) for role in Contact.BuyingRole.values)


@dataclass(frozen=True, slots=True)
class Cut:
    """Which facts are added up, for whom, and by what they are split; null is everything.

    What has no campaign, stage and so on is left out where facts are split by it.
    """

    where: Where = EVERYTHING
    clients: Sequence[int] | None = None
    population: str | None = None
    by: By = ""


ALL = Cut()
STAGE = "COALESCE(stage.code, usual.stage)"
PART = {
    "": "0",
    "campaign": "invitation.campaign_id",
    "questionnaire": "version.questionnaire_id",
    "product_family": "(SELECT MIN(kin.id) FROM clients_product kin"
    " WHERE kin.family = product.family)",
    "buying_role": "CASE contact.buying_role "
    + " ".join(f"WHEN '{role}' THEN {place}" for place, role in enumerate(ROLES))
    + " END",
    # A code may stand in the graphs of several kinds of case; its first number names it.
    "stage": f"(SELECT MIN(named.id) FROM clients_stage named WHERE named.code = {STAGE})",  # noqa: S608
}


@dataclass(slots=True)
class Clause:
    """A piece of SQL with its parameters."""

    text: str
    params: tuple[Any, ...] = ()


def conditions(where: Where) -> list[Clause]:
    """What of the answers and clients stays, over the names of `joins`."""
    found = [
        Clause(f"{column} = %s", (value,))
        for column, value in (
            ("version.questionnaire_id", where.questionnaire),
            ("invitation.campaign_id", where.campaign),
            ("product.family", where.product_family),
            ("contact.buying_role", where.buying_role),
            ("client.segment", where.segment),
            ("client.size", where.size),
            ("industry.section", _letter(where.industry)),
            ("industry.code", where.industry if not _letter(where.industry) else None),
        )
        if value is not None
    ]
    if where.stage is not None:
        found.append(Clause(f"{STAGE} = %s", (where.stage,)))
    if where.promises is not None:
        marks = ", ".join(["%s"] * len(where.promises)) or "NULL"
        found.append(Clause(f"version.attribution IN ({marks})", where.promises))
    if where.team is not None:
        found.append(Clause(f"client.team_id IN ({_TEAMS_BELOW})", (where.team,)))
    if where.clients is not None:
        found.append(Clause(f"client.id IN ({numbers(where.clients)})"))
    return found


def joins(
    where: Where, *, key: str, invitation: str, by: str = "", with_contact: bool = False
) -> str:
    """The tables that these conditions speak of.

    `key` is the expression of the client, `invitation` that of the invitation, and the row that
    is cut is called `fact`.
    """
    needed = []
    if where.campaign is not None or by == "campaign" or _of_case(where, by):
        needed.append(f"LEFT JOIN surveys_invitation invitation ON invitation.id = {invitation}")
    if where.stage is not None or by == "stage":
        needed.append(_STAGE)
    if where.product_family is not None or by == "product_family":
        needed.append(_PRODUCT)
    if with_contact or where.buying_role is not None or by == "buying_role":
        needed.append("LEFT JOIN clients_contact contact ON contact.id = fact.contact_id")
    if _of_version(where, by):
        needed.append("JOIN surveys_version version ON version.id = fact.version_id")
    if _of_client(where):
        needed.append(f"JOIN clients_client client ON client.id = {key}")
    if where.industry is not None:
        needed.append("JOIN clients_industry industry ON industry.id = client.industry_id")
    return " ".join(needed)


def numbers(ids: Sequence[int]) -> str:
    """Whole numbers as they stand in a list of SQL; an empty one holds nothing."""
    return ", ".join(str(int(one)) for one in ids) or "NULL"


def _letter(industry: str | None) -> str | None:
    return industry if industry is not None and industry.isalpha() else None


def _of_case(where: Where, by: str) -> bool:
    told = where.stage is not None or where.product_family is not None
    return told or by in {"stage", "product_family"}


def _of_version(where: Where, by: str) -> bool:
    return where.questionnaire is not None or where.promises is not None or by == "questionnaire"


def _of_client(where: Where) -> bool:
    told = (where.team, where.segment, where.size, where.industry, where.clients)
    return any(one is not None for one in told)


# A milestone is a stage entered, or one of the milestones that usually fall into a stage.
_STAGE = """
LEFT JOIN clients_milestone milestone ON milestone.id = invitation.milestone_id
LEFT JOIN clients_case milestone_case ON milestone_case.id = milestone.case_id
LEFT JOIN clients_milestonetype usual ON usual.code = milestone.code
LEFT JOIN clients_stage stage
    ON stage.code = milestone.code AND stage.case_kind = milestone_case.kind
"""
_PRODUCT = """
LEFT JOIN clients_case lent ON lent.id = invitation.case_id
LEFT JOIN clients_product product ON product.id = lent.product_id
"""
_TEAMS_BELOW = """
WITH RECURSIVE below(id) AS (
    SELECT id FROM bank_team WHERE id = %s
    UNION SELECT team.id FROM bank_team team JOIN below ON team.parent_id = below.id
) SELECT id FROM below
"""
