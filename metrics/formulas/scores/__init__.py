"""The scores themselves: NPS over answers and clients, CSAT, CES.

The module is a package only for its length; callers write `scores.client_nps(...)`.
"""

from metrics.formulas.scores.csat import (
    CES_EASY_FROM,
    CES_HI,
    CES_LO,
    Ces,
    CsatSummary,
    Dimension,
    by_client,
    ces,
    composite,
    cronbach_alpha,
    dimension,
    summary,
    top_box,
)
from metrics.formulas.scores.nps import (
    Client,
    ClientNps,
    Label,
    RollingPoint,
    client_label,
    client_mean,
    client_nps,
    point,
    rolling,
)

VERSION = 1

__all__ = [
    "CES_EASY_FROM",
    "CES_HI",
    "CES_LO",
    "VERSION",
    "Ces",
    "Client",
    "ClientNps",
    "CsatSummary",
    "Dimension",
    "Label",
    "RollingPoint",
    "by_client",
    "ces",
    "client_label",
    "client_mean",
    "client_nps",
    "composite",
    "cronbach_alpha",
    "dimension",
    "point",
    "rolling",
    "summary",
    "top_box",
]
