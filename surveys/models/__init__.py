"""The records of asking and answering."""

from surveys.models.campaign import Campaign, Invitation
from surveys.models.hit import Hit
from surveys.models.ledger import Delivery
from surveys.models.questionnaire import Question, Questionnaire, Version
from surveys.models.response import Answer, Response
from surveys.models.roster import RosterEntry
from surveys.models.rule import SuppressionRule
from surveys.models.trigger import Occasion, Trigger

__all__ = [
    "Answer",
    "Campaign",
    "Delivery",
    "Hit",
    "Invitation",
    "Occasion",
    "Question",
    "Questionnaire",
    "Response",
    "RosterEntry",
    "SuppressionRule",
    "Trigger",
    "Version",
]
