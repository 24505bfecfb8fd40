"""The shapes of charts: figures in, points of SVG out, as text that a template only places.

A withheld figure leaves a gap; every chart carries a name that states what it shows. The module
is a package only for its length; callers write `charts.trend(...)`.
"""

from metrics.charts.bars import Bars, Part, histogram, stacked
from metrics.charts.lines import Dot, Sparkline, Trend, sparkline, trend
from metrics.charts.scales import Axis, Tick, domain, nps_axis
from metrics.charts.words import ends, month, written

__all__ = [
    "Axis",
    "Bars",
    "Dot",
    "Part",
    "Sparkline",
    "Tick",
    "Trend",
    "domain",
    "ends",
    "histogram",
    "month",
    "nps_axis",
    "sparkline",
    "stacked",
    "trend",
    "written",
]
