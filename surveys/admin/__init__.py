"""The admin of surveys, one module a noun."""

from surveys.admin import campaign, delivery, questionnaire, response, rule

__all__ = ["campaign", "delivery", "questionnaire", "response", "rule"]
