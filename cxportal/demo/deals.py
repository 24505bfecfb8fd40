"""A case with its milestones, and the house rules by which it moves on."""

import math
from dataclasses import dataclass
from datetime import date, datetime
from random import Random

from bank import workdays
from clients.models import Case, Milestone, Product, Stage
from cxportal.demo.firms import Firm


@dataclass(eq=False)
class Deal:
    """A case and its milestones, unsaved, in order of time."""

    case: Case
    milestones: list[Milestone]
    firm: Firm

    def stage_at(self, at: datetime) -> str:
        """The stage the case was in at an instant; empty before it was opened."""
        stage = ""
        for milestone in self.milestones:
            if milestone.occurred_at and milestone.occurred_at <= at and milestone.event:
                stage = milestone.code
        return stage

    def reached(self, event: str) -> datetime | None:
        """When an event happened first, if it has."""
        for milestone in self.milestones:
            if milestone.event == event and milestone.occurred_at:
                return milestone.occurred_at
        return None

    def judged(self, milestone: Milestone) -> Milestone:
        """What an answer after this step speaks of: the stage that the step has ended.

        A milestone that is no step stands for itself.
        """
        last = milestone
        for row in self.milestones if milestone.event else ():
            if row is milestone:
                return last
            if row.event or row.code == "enquiry":
                last = row
        return milestone

    def open_at(self, at: datetime) -> bool:
        """Whether the case was open on that day."""
        day = at.date()
        ended = self.case.closed_on is not None and self.case.closed_on <= day
        return self.case.opened_on <= day and not ended

    def declined_at(self) -> datetime | None:
        """When the bank said no, if it did."""
        ends = (m.occurred_at for m in self.milestones if m.code == "declined")
        return next(ends, None)


class Office:
    """The bank's calendar, stages and products, read once."""

    def __init__(self) -> None:
        self.calendar = workdays.calendar()
        self.products = {row.code: row for row in Product.objects.all()}
        self.promised = {
            (row.case_kind, row.code): row.sla_working_days or 0 for row in Stage.objects.all()
        }

    def leave(self, dice: Random, kind: str, stage: str, start: date) -> date:
        """The day on which a case leaves a stage that it entered on `start`."""
        promised = self.promised.get((kind, stage), 0) or 3
        mean = promised * (1.25 if stage == "approval" else 0.85)
        spent = dice.gammavariate(4, mean / 4)
        return self.calendar.add(start, max(1, math.ceil(spent)))
