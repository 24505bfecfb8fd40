"""The names of the shared cases, each calling the product's own formula; no arithmetic here."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from metrics.formulas import (
    answers,
    comparing,
    display,
    engagement,
    health,
    incremental,
    indices,
    periods,
    responding,
    scores,
    trends,
    uncertainty,
)
from metrics.formulas.answers import Counts, Delivery
from metrics.formulas.incremental import Moments
from metrics.formulas.parameters import DEFAULT
from metrics.formulas.periods import Bounds
from metrics.formulas.responding import Cell, Dispositions
from metrics.formulas.scores import Client
from metrics.formulas.uncertainty import Base, Interval


def plain(value: Any) -> Any:
    """Write a result as the cases do: intervals as pairs, dataclasses as objects, UTC with Z."""
    if isinstance(value, (Interval, Bounds)):
        return [plain(getattr(value, one.name)) for one in fields(value)]
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else word(value)


def word(value: Any) -> Any:
    """Write a single value: instants and days as text, a status as its word, numbers as is."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def on_counts(formula: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    """Let a formula over counts take d, pas and p; the other arguments keep their names."""

    def call(d: int = 0, pas: int = 0, p: int = 0, **more: Any) -> Any:
        return plain(formula(Counts(d, pas, p), **fixed, **more))

    return call


def renamed(formula: Callable[..., Any], *positional: str, **names: str) -> Callable[..., Any]:
    """Let a formula take a case's arguments: `positional` in order, others by `names` or as is."""

    def call(**args: Any) -> Any:
        first = [args.pop(name) for name in positional if name in args]
        return plain(formula(*first, **{names.get(key, key): args[key] for key in args}))

    return call


def nps_counts(scores: list[Any]) -> dict[str, int]:
    counts = answers.count(scores)
    return {"d": counts.d, "pas": counts.s, "p": counts.p, "n": counts.n}


def dedupe_responses(rows: list[dict[str, Any]], policy: str = "last") -> list[str]:
    known = {one.name for one in fields(Delivery)} - {"submitted_at"}
    empty = {"client_id": None, "contact_id": None}
    deliveries = [
        Delivery(
            submitted_at=periods.instant(row["submitted_at"]),
            **(empty | {name: row[name] for name in known & row.keys()}),
        )
        for row in rows
    ]
    return [row.response_id for row in answers.dedupe(deliveries, policy=policy)]


def report_gate(
    n_resp: int, n_clients: int, max_client_share: float | None = None, **more: Any
) -> Any:
    thresholds = {one.name for one in fields(DEFAULT.gate)} & more.keys()
    rules = replace(DEFAULT.gate, **{name: more.pop(name) for name in thresholds})
    base = Base(n_resp, n_clients, max_client_share, **more)
    return plain(uncertainty.report_gate(base, rules=rules))


def client_nps(clients: list[dict[str, Any]]) -> Any:
    given = [
        Client(one["id"], [(x, w) for x, w in one.get("answers", [])], one.get("exposure"))
        for one in clients
    ]
    return plain(scores.client_nps(given))


def nps_aw_effective(
    nps: float | None,
    v: float | None,
    n_eff: float | None,
    df: int | None = None,
    n: int | None = None,
    **more: Any,
) -> Any:
    few = None if df is None else (df, n)
    return plain(uncertainty.effective(nps, v, n_eff, df=few, **more))


def weighted_mean_cluster(
    y: list[Any], w: list[Any], cluster: list[Any], big_g: int | None = None
) -> Any:
    return plain(uncertainty.cluster_mean(y, w, cluster, big_g=big_g))


def moe(lo: float | None, hi: float | None) -> float | None:
    return uncertainty.moe(None if lo is None or hi is None else Interval(lo, hi))


def csat_response(answers: dict[str, Any], weights: dict[str, float], **more: Any) -> float | None:
    return scores.composite(answers, weights, rules=replace(DEFAULT.csat, **more))


def csat_summary(
    responses: list[dict[str, Any]],
    weights: dict[str, float],
    conf: float = DEFAULT.intervals.conf,
    **more: Any,
) -> Any:
    rules = replace(DEFAULT.csat, **more)
    return plain(scores.summary(responses, weights, rules=rules, conf=conf))


def aapor(e: float = DEFAULT.responding.e, **outcomes: int) -> dict[str, float | None]:
    rates = plain(responding.aapor(Dispositions(**outcomes), e=e))
    return {name.upper(): rate for name, rate in rates.items()}


def period_key(ts: str, kind: Any, tz: str = DEFAULT.periods.zone) -> str:
    return periods.period_key(periods.instant(ts), kind, tz)


def local_date(ts: str, tz: str = DEFAULT.periods.zone) -> str:
    return plain(periods.local_date(periods.instant(ts), tz))


def rolling_bounds(as_of_date: str, tz: str = DEFAULT.periods.zone, **more: int) -> Any:
    return plain(periods.rolling_bounds(date.fromisoformat(as_of_date), tz, **more))


def rolling_nps(
    responses: list[list[Any]],
    as_of_dates: list[str],
    tz: str = DEFAULT.periods.zone,
    **more: int,
) -> Any:
    rows = [(periods.instant(ts), score) for ts, score in responses]
    days = [date.fromisoformat(day) for day in as_of_dates]
    return plain(scores.rolling(rows, days, zone=tz, **more))


def nps_diff(
    d1: int = 0, pas1: int = 0, p1: int = 0, d2: int = 0, pas2: int = 0, p2: int = 0, **more: Any
) -> Any:
    return plain(comparing.nps_diff(Counts(d1, pas1, p1), Counts(d2, pas2, p2), **more))


def nps_homogeneity(groups: list[list[int]], **more: Any) -> Any:
    return plain(comparing.nps_homogeneity([Counts(*group) for group in groups], **more))


def nonresponse_weights(cells: list[dict[str, Any]]) -> Any:
    return responding.nonresponse_weights([Cell(**cell) for cell in cells])


def replay(events: list[list[Any]]) -> dict[str, Any]:
    counts = incremental.replay(events)
    return {"d": counts.d, "pas": counts.s, "p": counts.p, "nps": scores.point(counts)}


def welford_merge(a: list[Any], b: list[Any]) -> list[Any]:
    found = incremental.welford_merge(Moments(*a), Moments(*b))
    return [found.n, found.mean, found.m2]


def ruled(formula: Callable[..., Any], rules: Any, *positional: str) -> Callable[..., Any]:
    """Let a formula take its rules one by one: weights by component, the others by name."""
    known = {one.name for one in fields(rules)}

    def call(**args: Any) -> Any:
        own = {name: args.pop(name) for name in known & args.keys()}
        own = {name: value for name, value in own.items() if value is not None}
        if "weights" in own:
            own["weights"] = tuple(own["weights"].items())
        return renamed(formula, *positional)(**args, rules=replace(rules, **own))

    return call


def between(formula: Callable[..., Any]) -> Callable[..., Any]:
    """Let a formula over bounds take them as a pair."""

    def call(x: Any, bounds: Any, **more: Any) -> Any:
        return plain(formula(x, None if bounds is None else Interval(*bounds), **more))

    return call


CATALOGUE: dict[str, Callable[..., Any]] = {
    "parse_answer": renamed(answers.parse, "raw"),
    "tally_answers": renamed(answers.tally, "raws"),
    "reverse_score": renamed(answers.reverse, "x"),
    "rescale_0_100": renamed(answers.rescale, "x"),
    "dedupe_responses": dedupe_responses,
    "round_half_away": renamed(display.round_half_away, "x"),
    "format_points": renamed(display.points, "x"),
    "largest_remainder": renamed(display.largest_remainder, "values"),
    "nps_counts": nps_counts,
    "nps_point": on_counts(scores.point),
    "nps_var": on_counts(uncertainty.variance),
    "nps_se": on_counts(uncertainty.standard_error),
    "nps_ci_wald": on_counts(uncertainty.wald),
    "nps_ci_adj_wald": on_counts(uncertainty.adjusted_wald),
    "nps_ci_goodman": on_counts(uncertainty.goodman),
    "nps_ci_score": on_counts(uncertainty.score),
    "nps_ci_t": on_counts(uncertainty.trinomial_t),
    "nps_ci_boot_exact": on_counts(uncertainty.bootstrap_exact),
    "nps_aw_effective": nps_aw_effective,
    "fpc_factor": renamed(uncertainty.fpc, "n", "big_n"),
    "nps_ci_adj_wald_fpc": on_counts(uncertainty.adjusted_wald_finite),
    "nps_se_fpc": on_counts(uncertainty.standard_error_finite),
    "moe": moe,
    "nps_sample_size": renamed(uncertainty.sample_size, "moe_points"),
    "nps_sample_size_diff": renamed(uncertainty.sample_size_difference, "delta_points"),
    "nps_worst_case": on_counts(uncertainty.worst_case),
    "report_gate": report_gate,
    "complementary_suppression": renamed(uncertainty.complementary_suppression, "counts"),
    "client_mean_ltr": renamed(scores.client_mean, "answers"),
    "client_label": renamed(scores.client_label, "mean_ltr"),
    "client_nps": client_nps,
    "kish": renamed(uncertainty.kish, "weights"),
    "cap_weights": renamed(uncertainty.cap, "weights", cap_share="share"),
    "weighted_mean_cluster": weighted_mean_cluster,
    "nps_cluster": renamed(uncertainty.cluster_nps, "scores", "clients"),
    "nps_weighted_clients": renamed(uncertainty.label_nps, "labels", "weights"),
    "top2box": renamed(scores.top_box, "values"),
    "wilson_ci": renamed(uncertainty.wilson, "x", "n"),
    "wilson_ci_eff": renamed(uncertainty.wilson_effective, "share", "n_eff"),
    "mean_ci_t": renamed(uncertainty.mean_interval, "values"),
    "csat_response": csat_response,
    "csat_summary": csat_summary,
    "newcombe_diff": renamed(uncertainty.newcombe),
    "two_prop_ztest": renamed(uncertainty.pooled_z),
    "welch_t": renamed(uncertainty.welch, "x", "y"),
    "cronbach_alpha": renamed(scores.cronbach_alpha, "items"),
    "ces_summary": renamed(scores.ces, "values"),
    "aapor": aapor,
    "eligibility_e": renamed(responding.eligibility),
    "classify_completion": renamed(responding.completion),
    "period_key": period_key,
    "period_bounds": renamed(periods.period_bounds, "key", "tz"),
    "local_date": local_date,
    "rolling_bounds": rolling_bounds,
    "rolling_nps": rolling_nps,
    "nps_diff": nps_diff,
    "nps_diff_paired": renamed(comparing.nps_diff_paired, "before", "after"),
    "nps_diff_overlap": renamed(comparing.nps_diff_overlap, "y1", "y2", "both"),
    "nps_homogeneity": nps_homogeneity,
    "p_adjust": renamed(comparing.p_adjust, "pvals"),
    "icc_anova": renamed(uncertainty.icc_anova, "groups"),
    "deff_icc": renamed(uncertainty.deff_icc, "sizes", "icc"),
    "nonresponse_bias": renamed(responding.nonresponse_bias),
    "nonresponse_weights": nonresponse_weights,
    "r_indicator": renamed(responding.r_indicator, "propensities"),
    "ewma": renamed(trends.ewma, "x"),
    "xmr": renamed(trends.xmr, "x"),
    "mann_kendall": renamed(trends.mann_kendall, "x"),
    "theil_sen": renamed(trends.theil_sen, "x", "y"),
    "replay": replay,
    "welford_merge": welford_merge,
    "decayed_sum": ruled(engagement.decayed_sum, DEFAULT.engagement, "ages_days"),
    "quantile7": renamed(engagement.quantile7, "values", "q"),
    "reference_bounds": ruled(engagement.reference_bounds, DEFAULT.engagement, "values"),
    "norm_minmax": between(engagement.norm_minmax),
    "norm_percentile": renamed(engagement.norm_percentile, "x", "reference"),
    "norm_z": renamed(engagement.norm_z, "x", "mean", "sd"),
    "ctr_shrunk": renamed(engagement.ctr_shrunk),
    "ctr_prior_moments": ruled(engagement.ctr_prior_moments, DEFAULT.engagement),
    "usage_score": ruled(engagement.usage_score, DEFAULT.engagement),
    "cei": ruled(engagement.cei, DEFAULT.engagement, "scores"),
    "cei_change": ruled(engagement.cei_change, DEFAULT.engagement, "before", "after"),
    "weighted_index": renamed(indices.weighted_index, "scores", "weights"),
    "relationship_health": ruled(health.relationship_health, DEFAULT.health),
    "band": renamed(health.band, "score"),
}
