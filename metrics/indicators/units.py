"""How each indicator is read of a unit of many clients."""

from functools import partial

from metrics.facts.columns import DIMENSIONS
from metrics.indicators import rates, recommending, satisfaction
from metrics.indicators.base import (
    ADJUSTED_WALD,
    CLUSTERED,
    CSAT_VERSION,
    EFFECTIVE,
    NPS_VERSION,
    RATE_VERSION,
    SHARE,
    WILSON,
    Indicator,
    Reading,
    T,
)
from metrics.indicators.given import Given


def read(given: Given) -> list[tuple[Indicator[Given], Reading]]:
    """Every indicator that this unit has data for."""
    found = ((one, one.read(given)) for one in UNITS)
    return [(one, reading) for one, reading in found if reading is not None]


UNITS: tuple[Indicator[Given], ...] = (
    Indicator("nps", recommending.nps, ADJUSTED_WALD, NPS_VERSION),
    Indicator("nps_exposure", recommending.nps_exposure, EFFECTIVE, NPS_VERSION),
    Indicator("nps_respondent", recommending.nps_respondent, ADJUSTED_WALD, NPS_VERSION),
    Indicator("csat", satisfaction.csat, CLUSTERED, CSAT_VERSION),
    *(
        Indicator(f"csat_{name}", partial(satisfaction.dimension, name), WILSON, NPS_VERSION)
        for name in DIMENSIONS
    ),
    Indicator("ces", satisfaction.ces, T, NPS_VERSION),
    Indicator("response_rate", rates.response_rate, WILSON, RATE_VERSION),
    Indicator("client_response_rate", rates.client_response_rate, WILSON, RATE_VERSION),
    Indicator("coverage_exposure", rates.coverage_exposure, SHARE, RATE_VERSION),
)
