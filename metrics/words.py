"""What the codes of figures are called, for the pages of the admin."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop

from bank.words import said

_METRICS = {
    "nps": gettext_noop("NPS, one vote a client"),
    "nps_respondent": gettext_noop("NPS, one vote a response"),
    "nps_exposure": gettext_noop("NPS, weighted by exposure"),
    "recommend_mean": gettext_noop("mean likelihood to recommend"),
    "client_label": gettext_noop("group of the client"),
    "csat": gettext_noop("CSAT, overall"),
    "csat_response_speed": gettext_noop("CSAT, speed of response"),
    "csat_processing_efficiency": gettext_noop("CSAT, efficiency of processing"),
    "csat_service_attitude": gettext_noop("CSAT, attitude of service"),
    "ces": gettext_noop("client effort score"),
    "cei": gettext_noop("client engagement index"),
    "cei_login": gettext_noop("engagement, sign-ins"),
    "cei_pv": gettext_noop("engagement, pages viewed"),
    "cei_ctr": gettext_noop("engagement, clicks on messages"),
    "cei_usage": gettext_noop("engagement, products used"),
    "cei_offline": gettext_noop("engagement, visits and meetings"),
    "health": gettext_noop("health of the relationship"),
    "client_score": gettext_noop("composite client score"),
    "credit_score": gettext_noop("credit quality"),
    "coverage_exposure": gettext_noop("coverage of exposure"),
    "silent_exposure": gettext_noop("silent exposure"),
    "response_rate": gettext_noop("response rate of people"),
    "client_response_rate": gettext_noop("response rate of clients"),
}
_NUMBERS = {
    "promoter": gettext_noop("promoters"),
    "passive": gettext_noop("passives"),
    "detractor": gettext_noop("detractors"),
    "promoters": gettext_noop("answers of 9 and 10"),
    "passives": gettext_noop("answers of 7 and 8"),
    "detractors": gettext_noop("answers of 0 to 6"),
    "counts": gettext_noop("answers from 0 to 10"),
    "split": gettext_noop("clients with promoters and detractors inside"),
    "fractional": gettext_noop("mean of the shares within clients"),
    "low_finite": gettext_noop("lower end, for the present clients only"),
    "high_finite": gettext_noop("upper end, for the present clients only"),
    "census": gettext_noop("everybody answered"),
    "mean": gettext_noop("mean"),
    "mean_low": gettext_noop("lower end of the mean"),
    "mean_high": gettext_noop("upper end of the mean"),
    "n": gettext_noop("answers"),
    "top2": gettext_noop("ratings of 4 and 5"),
    "share_low": gettext_noop("lower end of the share"),
    "share_high": gettext_noop("upper end of the share"),
    "easy": gettext_noop("ratings of 5 to 7"),
    "easy_share": gettext_noop("share of 5 to 7"),
    "alpha": gettext_noop("reliability (alpha)"),
    "exposure": gettext_noop("exposure"),
    "client_mean": gettext_noop("mean over clients, one vote each"),
    "client_low": gettext_noop("lower end of the mean over clients"),
    "client_high": gettext_noop("upper end of the mean over clients"),
    "amount": gettext_noop("amount"),
    "currency": gettext_noop("currency"),
    "unrated": gettext_noop("facilities without an exchange rate"),
    "n_eff": gettext_noop("effective number of clients"),
    "deff": gettext_noop("design effect"),
    "max_share": gettext_noop("largest weight"),
    "capped": gettext_noop("with no weight above 10%"),
    "complete": gettext_noop("complete"),
    "partial": gettext_noop("partial"),
    "refused": gettext_noop("opened and left"),
    "silent": gettext_noop("never opened"),
    "needed": gettext_noop("answers needed for a margin of 5 points"),
    "needed_difference": gettext_noop("answers needed a group to see 10 points"),
    "low_cluster": gettext_noop("lower end, allowing for clients"),
    "high_cluster": gettext_noop("upper end, allowing for clients"),
    "low_silent": gettext_noop("lower end, whatever the silent think"),
    "high_silent": gettext_noop("upper end, whatever the silent think"),
    "restated_from": gettext_noop("value before the change"),
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
    "COMPLEMENTARY": gettext_noop("other figures would give it away"),
    "ZERO_EXPOSURE": gettext_noop("no exposure"),
    "ALPHA_LOW": gettext_noop("the dimensions do not hang together"),
    "RESTATED": gettext_noop("changed after its period"),
    "DIFFERENCING": gettext_noop("too near to a figure shown before"),
    "NO_REFERENCE": gettext_noop("no reference has been frozen yet"),
    "NOT_OF_ONE_CLIENT": gettext_noop("not of one client"),
    "NOT_OF_ANSWERS": gettext_noop("not of answers"),
    "NO_CONTRACT": gettext_noop("no online banking contract"),
    "SPONSOR_SERVED": gettext_noop("served through its sponsor"),
    "LOG_OUTAGE": gettext_noop("the log was away"),
    "NO_MESSAGES": gettext_noop("no message was delivered"),
    "NOTHING_HELD": gettext_noop("holds no product that is used online"),
    "CONSENT_WITHDRAWN": gettext_noop("consent withdrawn"),
    "LOW_COVERAGE": gettext_noop("too few parts are known"),
    "SILENT_12M": gettext_noop("nobody has answered for 12 months: at most 70"),
}


def metrics() -> Mapping[str, str]:
    """The figures."""
    return said(_METRICS)


def numbers() -> Mapping[str, str]:
    """The numbers put into a figure."""
    return said(_NUMBERS)


def populations() -> Mapping[str, str]:
    """The answers a figure speaks of."""
    return said(_POPULATIONS)


def gates() -> Mapping[str, str]:
    """Why a figure is withheld, or to be read with care."""
    return said(_GATES)
