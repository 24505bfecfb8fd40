"""What the codes of figures are called, for the pages of the admin."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop

from bank.words import said

_METRICS = {
    "nps": gettext_noop("NPS, one vote a client"),
    "nps_respondent": gettext_noop("NPS, one vote a response"),
    "recommend_mean": gettext_noop("mean likelihood to recommend"),
    "client_label": gettext_noop("group of the client"),
    "csat": gettext_noop("CSAT, overall"),
    "csat_response_speed": gettext_noop("CSAT, speed of response"),
    "csat_processing_efficiency": gettext_noop("CSAT, efficiency of processing"),
    "csat_service_attitude": gettext_noop("CSAT, attitude of service"),
    "response_rate": gettext_noop("response rate of people"),
    "client_response_rate": gettext_noop("response rate of clients"),
}
_POPULATIONS = {
    "relational": gettext_noop("relationship survey"),
    "transactional": gettext_noop("transaction survey"),
    "pulse": gettext_noop("pulse"),
}
_GATES = {
    "NO_DATA": gettext_noop("no answers"),
    "MIN_RESPONSES": gettext_noop("too few answers"),
    "MIN_CLIENTS": gettext_noop("too few clients"),
    "DOMINANCE": gettext_noop("one client dominates"),
    "WEIGHT_DOMINANCE": gettext_noop("one client dominates by weight"),
    "LOW_EFFECTIVE_N": gettext_noop("small effective base"),
    "LOW_BASE": gettext_noop("small base"),
}


def metrics() -> Mapping[str, str]:
    """The figures."""
    return said(_METRICS)


def populations() -> Mapping[str, str]:
    """The answers a figure speaks of."""
    return said(_POPULATIONS)


def gates() -> Mapping[str, str]:
    """Why a figure is withheld, or to be read with care."""
    return said(_GATES)
