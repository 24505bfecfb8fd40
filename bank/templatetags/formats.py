"""The house's notations as template filters: `{% load formats %}{{ value|points }}`."""

from django import template

from bank import formats

register = template.Library()

for _name in (
    "number",
    "points",
    "share",
    "share_change",
    "sample",
    "ratio",
    "money",
    "day",
    "moment",
    "day_in_text",
    "duration",
    "overdue",
    "masked",
):
    register.filter(_name, getattr(formats, _name))
