"""What the parameters of the formulas are called, for the pages that show them."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop

from bank.words import said

_NAMES = {
    "intervals.conf": gettext_noop("confidence level"),
    "intervals.k": gettext_noop("answers added for the interval"),
    "intervals.sample_v": gettext_noop("variance assumed when planning a sample"),
    "intervals.power": gettext_noop("power assumed when planning a sample"),
    "gate.min_resp": gettext_noop("fewest answers that are shown"),
    "gate.min_clients": gettext_noop("fewest clients that are shown"),
    "gate.low_base": gettext_noop("small base below so many clients"),
    "gate.dom_share": gettext_noop("share from which one client dominates"),
    "gate.min_n_eff": gettext_noop("smallest effective base that is shown"),
    "clients.promoter_from": gettext_noop("promoter from"),
    "clients.passive_from": gettext_noop("passive from"),
    "clients.role_weight": gettext_noop("weight of a role without one of its own"),
    "clients.role_weights": gettext_noop("weights of roles"),
    "clients.cap_share": gettext_noop("largest weight after the cap"),
    "clients.cap_above": gettext_noop("weight from which the capped figure is shown"),
    "csat.lo": gettext_noop("lower end of the scale"),
    "csat.hi": gettext_noop("upper end of the scale"),
    "csat.weights": gettext_noop("weights of the dimensions"),
    "csat.min_dims": gettext_noop("fewest dimensions rated"),
    "csat.alpha_floor": gettext_noop("lowest reliability of a composite"),
    "responding.e": gettext_noop("share of the unknown that are eligible"),
    "responding.complete_from": gettext_noop("complete from this share answered"),
    "responding.partial_from": gettext_noop("partial from this share answered"),
    "responding.min_cell": gettext_noop("fewest answers of a weighting class"),
    "responding.trim": gettext_noop("largest factor in medians"),
    "responding.r_indicator_from": gettext_noop("contacts from which the R-indicator is told"),
    "comparing.alpha": gettext_noop("level of a test"),
    "comparing.correction": gettext_noop("correction of several tests"),
    "engagement.weights": gettext_noop("weights of the components"),
    "engagement.window_days": gettext_noop("days looked back"),
    "engagement.half_life": gettext_noop("days after which an event counts half"),
    "engagement.winsor_low": gettext_noop("lower quantile of the reference"),
    "engagement.winsor_high": gettext_noop("upper quantile of the reference"),
    "engagement.min_coverage": gettext_noop("least coverage of the weights"),
    "engagement.ctr_strength_low": gettext_noop("least weight of the usual click rate"),
    "engagement.ctr_strength_high": gettext_noop("largest weight of the usual click rate"),
    "engagement.min_clients": gettext_noop("fewest clients of a reference"),
    "engagement.reference_quarters": gettext_noop("quarters of a reference"),
    "engagement.breadth_share": gettext_noop("share of breadth in the use of products"),
    "engagement.outage_share": gettext_noop("share of the window without a log that is too much"),
    "engagement.points": gettext_noop("points of personal contacts"),
    "engagement.points_per_day": gettext_noop("most points a day"),
    "engagement.call_minutes": gettext_noop("shortest call that counts, in minutes"),
    "engagement.repeat_seconds": gettext_noop("seconds within which a page view is a repeat"),
    "health.weights": gettext_noop("weights of the parts"),
    "health.min_parts": gettext_noop("fewest parts known"),
    "health.ceilings": gettext_noop("ceilings"),
    "health.silent_months": gettext_noop("months of silence"),
    "client_score.weights": gettext_noop("weights of the client score"),
    "client_score.min_coverage": gettext_noop("least coverage of the client score"),
    "client_score.survey_months": gettext_noop("months that a survey counts"),
    "bands.fragile_from": gettext_noop("fragile from"),
    "bands.sound_from": gettext_noop("sound from"),
    "bands.strong_from": gettext_noop("strong from"),
    "trends.lam": gettext_noop("weight of the newest value"),
    "trends.min_periods": gettext_noop("fewest periods of a trend"),
    "trends.sigmas": gettext_noop("width of the control limits"),
    "suspicion.least": gettext_noop("fewest answers that are suspicious together"),
    "suspicion.minutes": gettext_noop("minutes within which they came"),
    "periods.zone": gettext_noop("reporting zone"),
    "periods.rolling_days": gettext_noop("days of the rolling window"),
}


def parameters() -> Mapping[str, str]:
    """The parameters by section and name."""
    return said(_NAMES)
