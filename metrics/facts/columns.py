"""The columns of the sums over answers: of which item, and how each is added up."""

from metrics.formulas.parameters import DEFAULT, Csat
from metrics.formulas.scores import CES_EASY_FROM

NPS, COMPOSITE, CES = "nps", "csat", "ces"
DIMENSIONS = tuple(name for name, _weight in DEFAULT.csat.weights)
RATINGS = ("trust", "renewal_intention")
ITEMS = (NPS, *DIMENSIONS, CES, *RATINGS)
HISTOGRAM = tuple(f"h{score}" for score in range(11))
# Fractions are rounded to these, so that their sums are exact: 100 answers of 100 a million times.
GRID, COARSE = 2**26, 2**20
FLOAT = "double precision"


def on_grid(value: str, grid: int = GRID) -> str:
    """A number brought to the nearest multiple of 1/grid."""
    return f"ROUND(CAST({value} AS {FLOAT}) * {grid}) / {grid}"


def pivoted() -> str:
    """Each item's value of a response, reversed items turned round, ratings on 0 to 100."""
    turned = "CASE WHEN item.turned THEN item.lo + item.hi - answer.value ELSE answer.value END"
    share = f"CAST(100 * ({turned} - item.lo) AS {FLOAT}) / (item.hi - item.lo)"
    return ", ".join(
        f"MAX(CASE WHEN item.code = {code} THEN "
        f"{on_grid(share) if name in RATINGS else turned} END) AS {name}"
        for code, name in enumerate(ITEMS)
    )


def composite(rules: Csat) -> str:
    """The weighted mean of the rescaled dimensions, where enough of them are answered (5.4)."""
    weights = dict(rules.weights)
    given = " + ".join(f"CASE WHEN {name} IS NULL THEN 0 ELSE 1 END" for name in DIMENSIONS)
    held = [
        (name, f"CAST({weights[name]!r} AS {FLOAT})") for name in DIMENSIONS if weights[name] > 0
    ]
    wide = rules.hi - rules.lo
    above = " + ".join(
        f"CASE WHEN {name} IS NULL THEN 0 ELSE {w} * (100 * ({name} - {rules.lo})) / {wide} END"
        for name, w in held
    )
    below = " + ".join(f"CASE WHEN {name} IS NULL THEN 0 ELSE {w} END" for name, w in held)
    value = on_grid(f"({above}) / ({below})")
    return f"CASE WHEN {given} >= {rules.min_dims} THEN {value} END"


def nexts() -> str:
    """When the same person gave the next value of each item; later rows come first."""
    return ", ".join(
        f"MIN(CASE WHEN {name} IS NOT NULL THEN at END) OVER later AS {name}_next"
        for name in (*ITEMS, COMPOSITE)
    )


def lasts() -> str:
    """The values that are the last of their person in the window."""
    held = [
        f"CASE WHEN {name}_next IS NULL OR {name}_next >= span.ends THEN {name} END AS {name}"
        for name in (*ITEMS, COMPOSITE)
    ]
    # All dimensions of one response, for their reliability.
    complete = " AND ".join(f"{name} IS NOT NULL" for name in DIMENSIONS)
    last = f"({COMPOSITE}_next IS NULL OR {COMPOSITE}_next >= span.ends)"
    return ", ".join(
        [*held, *(f"CASE WHEN {last} AND {complete} THEN {d} END AS full_{d}" for d in DIMENSIONS)]
    )


def _where(condition: str) -> str:
    return f"COUNT(*) FILTER (WHERE {condition})"


def _sum(value: str) -> str:
    return f"COALESCE(SUM({value}), 0)"


def _open(name: str) -> str:
    return _where(f"{name} IS NOT NULL AND is_open = 1")


def _of_dimension(name: str) -> dict[str, str]:
    return {
        f"{name}_n": f"COUNT({name})",
        f"{name}_total": _sum(name),
        f"{name}_squares": _sum(f"{name} * {name}"),
        f"{name}_top": _where(f"{name} >= {DEFAULT.csat.hi - 1}"),
        f"{name}_open": _open(name),
    }


def _columns() -> dict[str, str]:
    held = {name: _where(f"nps = {score}") for score, name in enumerate(HISTOGRAM)}
    held |= {
        "open_n": _open(NPS),
        "open_total": _sum("CASE WHEN is_open = 1 THEN weight * nps END"),
    }
    for name in DIMENSIONS:
        held |= _of_dimension(name)
    held |= {
        "csat_n": "COUNT(csat)",
        "csat_total": _sum("csat"),
        "csat_squares": _sum(on_grid("csat * csat", COARSE)),
        "csat_open": _open(COMPOSITE),
        "ces_n": "COUNT(ces)",
        "ces_total": _sum("ces"),
        "ces_squares": _sum("ces * ces"),
        "ces_easy": _where(f"ces >= {CES_EASY_FROM}"),
        "ces_open": _open(CES),
    }
    for name in RATINGS:
        held |= {f"{name}_n": f"COUNT({name})", f"{name}_total": _sum(name)}
    whole = [f"full_{name}" for name in DIMENSIONS]
    both = " + ".join(whole)
    held |= {"full_n": f"COUNT({whole[0]})", "full_squares": _sum(f"({both}) * ({both})")}
    for name in whole:
        held |= {f"{name}_total": _sum(name), f"{name}_squares": _sum(f"{name} * {name}")}
    return held


COLUMNS = _columns()
# Told of single clients only: what their team sees one by one, and the ratings of health.
_OF_CLIENTS = {
    "open_total",
    "csat_squares",
    *(f"{name}_open" for name in (*DIMENSIONS, COMPOSITE, CES)),
}
_OF_CLIENTS |= {f"{name}_{sum_}" for name in RATINGS for sum_ in ("n", "total")}
OF_UNITS = {name: sum_ for name, sum_ in COLUMNS.items() if name not in _OF_CLIENTS}
# Only asked for where roles weigh differently; else they follow from the histogram.
WEIGHTED = {
    "weight": _sum("CASE WHEN nps IS NOT NULL THEN weight END"),
    "weighted": _sum("weight * nps"),
    "coded": _sum("CASE WHEN nps >= 9 THEN weight WHEN nps <= 6 THEN -weight END"),
    "open_weight": _sum("CASE WHEN nps IS NOT NULL AND is_open = 1 THEN weight END"),
}
