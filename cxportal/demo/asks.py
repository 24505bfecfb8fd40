"""One planned invitation of the invented bank, and the waves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from clients.models import Milestone
from cxportal.demo.deals import Deal
from cxportal.demo.firms import Firm, Person
from cxportal.demo.streams import Plan

ROLES = ("decider", "influencer", "user")
RELATIONAL = "relational_nps_csat"
HEYU, HEYU_CASE = "禾屿海上风电", "PF-2026-0147"
# Where the milestones that are no steps usually fall.
USUAL_STAGES = {"financial_close": "conditions_precedent", "progress_50": "construction"}


@dataclass(eq=False)
class Ask:
    """One planned invitation; `reason` says why it was not sent."""

    ordinal: str
    firm: Firm
    person: Person
    questionnaire: str
    sent_at: datetime
    closes_at: datetime
    wave: str = ""
    deal: Deal | None = None
    milestone: Milestone | None = None
    mark: str = ""
    reason: str = ""
    must_answer: bool = False
    deals: Sequence[Deal] = ()

    @property
    def event(self) -> str:
        """The step or milestone that was asked about."""
        return (self.milestone.event or self.milestone.code) if self.milestone else ""

    @property
    def judged(self) -> Milestone | None:
        """The milestone that the answer is about."""
        return self.deal.judged(self.milestone) if self.deal and self.milestone else None

    @property
    def stage(self) -> str:
        """The stage that the answer is about; empty for an answer about no case."""
        about = self.judged
        return USUAL_STAGES.get(about.code, about.code) if about else ""

    @property
    def variables(self) -> dict[str, Any]:
        """What the questionnaire's conditions ask for."""
        return {
            "milestone": self.mark,
            "survey_context": self.mark,
            "payment_method": "entrusted" if len(self.ordinal) % 2 else "self",
            "marketing_consent": "yes" if self.person.rank % 2 == 0 else "no",
        }


def waves(plan: Plan) -> list[tuple[str, date]]:
    """The waves of the last 26 months: key and first day."""
    found = []
    for year in range(plan.as_of.year - 2, plan.as_of.year + 1):
        for month in (4, 10):
            start = date(year, month, 13)
            if plan.as_of - timedelta(days=790) < start <= plan.as_of - timedelta(days=10):
                found.append((f"{year}-{month:02d}", start))
    return found
