"""The records of asking and answering."""

from surveys.models.campaign import Campaign, Delivery, Hit, Invitation
from surveys.models.questionnaire import Question, Questionnaire, Version
from surveys.models.response import Answer, Response
from surveys.models.rule import SuppressionRule

__all__ = [
    "Answer",
    "Campaign",
    "Delivery",
    "Hit",
    "Invitation",
    "Question",
    "Questionnaire",
    "Response",
    "SuppressionRule",
    "Version",
]
