"""The worked examples of docs/indicators.md, written by the formulas themselves.

`python -m tests.metrics.examples` writes them into the page; a test compares.
"""

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

from metrics.formulas import display, engagement, health, responding, scores, uncertainty
from metrics.formulas.answers import Counts
from metrics.formulas.parameters import DEFAULT
from metrics.formulas.responding import Dispositions
from metrics.formulas.scores import Client
from metrics.formulas.uncertainty import Interval

PAGE = Path(__file__).parents[2] / "docs" / "indicators.md"
BLOCK = re.compile(r"<!-- example (\w+) -->\n(.*?)<!-- end -->\n", re.DOTALL)

# Four clients: what they answered, and what is lent to them in millions.
BOOK = [
    Client("A", [(10, 1), (10, 1), (9, 1), (9, 1), (9, 1)], 100),
    Client("B", [(6, 1)], 900),
    Client("C", [(8, 1), (9, 1)], 400),
    Client("D", [], 600),
]
PARTS = {"login": 70.0, "pv": 55.5, "ctr": 40.0, "usage": 62.5, "offline": 30.0}


def number(x: float, digits: int = 1) -> str:
    return f"{display.round_half_away(x, digits):.{digits}f}"


def percent(share: float) -> str:
    return f"{number(100 * share)} %"


def ends(interval: Interval) -> str:
    return display.interval(interval.low, interval.high)


def shares(interval: Interval) -> str:
    return f"95 % CI {percent(interval.low)} to {percent(interval.high)}"


def nps() -> str:
    votes, eligible = Counts(d=40, s=100, p=172), 400
    return (
        f"{votes.p} promoters, {votes.s} passives and {votes.d} detractors make"
        f" 100 × ({votes.p} − {votes.d}) / {votes.n} = {display.points(scores.point(votes))},"
        f" 95 % CI {ends(uncertainty.adjusted_wald(votes))}, coverage"
        f" {percent(votes.n / eligible)} of {eligible} clients. Taken as the state of just these"
        f" {eligible}, the interval is"
        f" {ends(uncertainty.adjusted_wald_finite(votes, big_n=eligible))}."
    )


def nps_exposure() -> str:
    found = scores.client_nps(BOOK)
    labels, weights = list(found.labels.values()), list(found.exposures.values())
    of = {one.id: one.exposure for one in BOOK}
    return (
        f"A with {of['A']} million is a promoter, B with {of['B']} a detractor, C with {of['C']} a"
        f" passive, D did not answer: 100 × ({of['A']} − {of['B']}) / {number(sum(weights), 0)} ="
        f" {display.points(found.nps_exposure)}, where `nps` is {display.points(found.nps_client)}"
        f" and `nps_respondent` {display.points(found.nps_respondent)}. B alone holds"
        f" {percent(uncertainty.kish(weights).max_share)} of the answered exposure, so the figure"
        f" with the cap stands beside it: {display.points(found.nps_exposure_capped)}. The"
        f" effective number of clients is {number(uncertainty.kish(weights).n_eff)}, the 95 % CI"
        f" {ends(uncertainty.label_nps(labels, weights).ci)}."
    )


def nps_respondent() -> str:
    found = scores.client_nps([Client("one", [(10, 1)] * 4), Client("other", [(0, 1)])])
    return (
        f"one client with four tens and one with a zero:"
        f" {display.points(found.nps_respondent)} by answer, 95 % CI"
        f" {ends(uncertainty.adjusted_wald(found.responses))}, but `nps` is"
        f" {display.points(found.nps_client)}."
    )


def recommend_mean() -> str:
    alike, weighted = scores.client_mean([(9, 1), (6, 1)]), scores.client_mean([(9, 3), (6, 1)])
    return (
        f"a 9 and a 6 make {number(alike, 2)}; if the 9 is of a decision maker whose role weighs"
        f" 3, {number(weighted, 2)}."
    )


def client_label() -> str:
    means = (8.5, 9, 6.99)
    told = ", ".join(f"{mean} is {scores.client_label(mean)}" for mean in means)
    return f"{told}."


def csat() -> str:
    weights = dict(DEFAULT.csat.weights)
    given = {"response_speed": 5, "processing_efficiency": 3, "service_attitude": None}
    one = scores.composite(given, weights)
    told, of = [100, 80, 50], ["first", "first", "second"]
    found, by_client = uncertainty.cluster_mean(told, [1] * 3, of), scores.by_client(told, of)
    return (
        f"speed 5, efficiency 3 and no answer on attitude make (.40 × 100 + .35 × 50) / .75 ="
        f" {number(one)}. Two responses of one client with 100 and 80 and one of another with 50"
        f" make (100 + 80 + 50) / 3 = {number(found.mean)} with a standard error by client of"
        f" {number(found.se)}; with one vote a client (90 + 50) / 2 = {number(by_client.mean)}"
        f" stands beside it."
    )


def dimension(values: tuple[int, ...]) -> str:
    found = scores.dimension(values)
    return (
        f"answers {', '.join(map(str, values))}: {percent(found.t2b)}, {shares(found.t2b_ci)},"
        f" mean {number(found.mean, 2)}."
    )


def ces() -> str:
    values = (7, 6, 5, 3)
    found = scores.ces(values)
    return (
        f"answers {', '.join(map(str, values))}: mean {number(found.mean, 2)}, found easy by"
        f" {percent(found.easy_share)}."
    )


def cei() -> str:
    full = engagement.cei(PARTS)
    part = engagement.cei(PARTS | {"login": None, "pv": None})
    sum_of = " + ".join(number(part, 2) for part in full.contributions.values())
    return (
        f"{', '.join(f'{name} {number(score)}' for name, score in PARTS.items())} contribute"
        f" {sum_of} = {number(full.cei, 2)}. Without an online contract logins and page views are"
        f" missing: the other weights are divided by {number(part.coverage, 2)}, the index is"
        f" {number(part.cei)}, coverage {percent(part.coverage)}."
    )


def placed(total: float, quantity: str, bounds: Interval) -> str:
    score = engagement.norm_minmax(total, bounds)
    return (
        f"{quantity} {number(total, 2)}; log(1 + {number(total, 2)}) lies {percent(score / 100)}"
        f" of the way from {number(bounds.low, 2)} to {number(bounds.high, 2)}: score"
        f" {number(score)}."
    )


def cei_login() -> str:
    total = engagement.decayed_sum([0, 45, 89, 90], [1, 1, 1, 1])
    found = placed(total / 2, "per user", Interval(0, 2.4))
    return f"two users signed in today, 45, 89 and 90 days ago: 1 + 0.50 + 0.25 + 0, {found}"


def cei_pv() -> str:
    total = engagement.decayed_sum([3, 10, 31], [12, 5, 8])
    found = placed(total, "decayed", Interval(0, 5.22))
    return f"one user saw 12 pages 3 days ago, 5 ten days and 8 thirty-one days ago: {found}"


def cei_ctr() -> str:
    rate = engagement.ctr_shrunk(1, 2, 0.03, 100)
    score = engagement.norm_minmax(rate, Interval(0.01, 0.09), log=False)
    return (
        f"1 click on 2 messages is not 50 %: with the usual 3 % worth 100 messages it is"
        f" (1 + 3) / (2 + 100) = {percent(rate)}; between the bounds 1 % and 9 % the score is"
        f" {number(score)}."
    )


def cei_usage() -> str:
    return (
        f"3 of 5 products used and a depth of 40: half of 60 and half of 40 are"
        f" {number(engagement.usage_score(3, 5, 40))}."
    )


def cei_offline() -> str:
    total = engagement.decayed_sum([3, 10, 31], [3, 1, 2])
    found = placed(total, "decayed", Interval(0, 3))
    return f"a visit 3 days, a call 10 days and an event 31 days ago: {found}"


def relationship_health() -> str:
    codes = health.ceilings({"OPEN_SEVERE_COMPLAINT"})
    free = health.relationship_health(70, 62.5, 80)
    capped = health.relationship_health(70, 62.5, 80, caps=codes)
    parts = " + ".join(number(part) for part in free.contributions.values())
    return (
        f"trust 70, satisfaction 62.5 and loyalty 80 make {parts} = {number(free.score)},"
        f" {health.band(free.score)}. With a severe complaint open it is {number(capped.score)},"
        f" {health.band(capped.score)}, and {number(capped.uncapped)} is shown beside it."
    )


def client_score() -> str:
    found = health.client_score(70, 53.075)
    parts = " + ".join(number(part, 2) for part in found.contributions.values())
    return (
        f"health 70 and engagement 53.075 make {parts} = {number(found.score, 2)},"
        f" {health.band(found.score)}. With engagement alone there is no score."
    )


def response_rate() -> str:
    asked = Dispositions(i=2, p=1, r=1, nc=6)
    done, whole = asked.i + asked.p, asked.i + asked.p + asked.r + asked.nc
    rate = responding.aapor(asked).rr2
    return (
        f"{asked.i} complete, {asked.p} partial, {asked.r} opened and left, {asked.nc} silent:"
        f" {done} of {whole}, {percent(rate)}, {shares(uncertainty.wilson(done, whole))}."
    )


def client_response_rate() -> str:
    return (
        f"the three answers came from 2 of 6 clients: {percent(responding.share(2, 6))},"
        f" {shares(uncertainty.wilson(2, 6))}."
    )


def coverage_exposure() -> str:
    found = scores.client_nps(BOOK)
    answered = sum(found.exposures.values())
    return (
        f"of the four clients above A, B and C answered: {number(answered, 0)} of"
        f" {sum(one.exposure for one in BOOK)} million, {percent(found.coverage_exposure)}; by"
        f" clients {percent(found.coverage_clients)}."
    )


def silent_exposure() -> str:
    quiet, whole = 600, sum(one.exposure for one in BOOK)
    return (
        f"if D, and only D, has said nothing for twelve months: {quiet} of {whole} million,"
        f" {percent(responding.share(quiet, whole))}."
    )


EXAMPLES: dict[str, Callable[[], str]] = {
    "nps": nps,
    "nps_exposure": nps_exposure,
    "nps_respondent": nps_respondent,
    "recommend_mean": recommend_mean,
    "client_label": client_label,
    "csat": csat,
    "csat_response_speed": lambda: dimension((5, 4, 3, 1)),
    "csat_processing_efficiency": lambda: dimension((5, 5, 4, 4, 2)),
    "csat_service_attitude": lambda: dimension((5, 4, 4)),
    "ces": ces,
    "cei": cei,
    "cei_login": cei_login,
    "cei_pv": cei_pv,
    "cei_ctr": cei_ctr,
    "cei_usage": cei_usage,
    "cei_offline": cei_offline,
    "health": relationship_health,
    "client_score": client_score,
    "response_rate": response_rate,
    "client_response_rate": client_response_rate,
    "coverage_exposure": coverage_exposure,
    "silent_exposure": silent_exposure,
}


def paragraph(metric: str) -> str:
    """The example as it stands on the page."""
    return textwrap.fill(f"*Example:* {EXAMPLES[metric]()}", 99, break_on_hyphens=False) + "\n"


def written(page: str) -> str:
    """The page with every example written anew."""
    return BLOCK.sub(
        lambda found: f"<!-- example {found[1]} -->\n{paragraph(found[1])}<!-- end -->\n", page
    )


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
