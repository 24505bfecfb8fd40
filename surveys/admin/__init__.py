"""The admin of surveys, one module a noun."""

from surveys.admin import questionnaire, response

__all__ = ["questionnaire", "response"]
