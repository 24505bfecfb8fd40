"""The planted truths that chance decides, judged on the drawn answers before a row is written.

They tell whether the scores must be drawn again. `acceptance` judges all truths afterwards on
what the product itself shows.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import correlation

from cxportal.demo.answering import APPROVAL, LIST_BRANCH, Reply
from cxportal.demo.asks import RELATIONAL
from cxportal.demo.firms import Firm
from cxportal.demo.streams import ZONE, Plan
from cxportal.demo.turns import DOCUMENT_LIST_ON, moved
from metrics.formulas import comparing, periods, scores
from surveys.models import Question

Labels = dict[Hashable, str | None]
Questions = dict[str, list[Question]]
EFFICIENCY, ITEMS = "sat_efficiency", ("sat_response", "sat_efficiency", "sat_attitude")
NPS_RANGE = (12.0, 30.0)
APPROVAL_RANGE = (58.0, 70.0)
# By how many points the others are higher, and how far money is below heads.
APART = {"small": 12.0, "medium": 8.0, "large": 8.0}
MONEY = {"small": 15.0, "medium": 20.0, "large": 20.0}
GRID = 3
ALPHA, CLEAR = 0.05, 0.01


def missed(plan: Plan, firms: Sequence[Firm], replies: Sequence[Reply]) -> list[str]:
    """The truths that the drawn answers do not show, each in one sentence."""
    since = periods.parse("rolling12m", as_of=plan.now, zone=ZONE.key).start
    means = client_means(replies, since)
    return [
        *_weakest_stage(plan, replies, since),
        *_document_list(plan, replies),
        *_giants(plan, firms, means),
        *_first_driver(replies, since),
        *_zeros(plan, replies),
        *_grid(firms, means),
    ]


def _weakest_stage(plan: Plan, replies: Sequence[Reply], since: datetime) -> list[str]:
    """T1: satisfaction with efficiency is lowest at approval, by far; so are the complaints."""
    shares = stage_shares(replies, since)
    if APPROVAL not in shares:
        return ["T1: nobody has judged an approval"]
    here = shares.pop(APPROVAL)
    faults = []
    if not APPROVAL_RANGE[0] <= here <= APPROVAL_RANGE[1]:
        faults.append(f"T1: {here:.1f} % are satisfied at approval, not 58 to 70")
    lowest = min(shares.values(), default=100.0)
    if lowest - here < APART[plan.size]:
        faults.append(f"T1: another stage is only {lowest - here:.1f} points better")
    topics = Counter(
        topic
        for reply in replies
        if reply.ask.stage == APPROVAL and reply.complains
        for topic in reply.topics
    )
    if topics and topics.most_common(1)[0][0] != "processing_efficiency":
        faults.append("T1: at approval most complaints are about something else")
    return faults


def stage_shares(replies: Sequence[Reply], since: datetime, least: int = 5) -> dict[str, float]:
    """Per cent of 4 and 5 for efficiency by the stage asked about, last answer of each person."""
    last: dict[tuple[str, str], int] = {}
    for reply in sorted(replies, key=lambda reply: reply.submitted_at):
        value = reply.values.get(EFFICIENCY)
        counted = reply.ask.stage and reply.ask.questionnaire != "touchpoint_pulse"
        if isinstance(value, int) and counted and reply.submitted_at >= since:
            last[reply.ask.stage, reply.ask.person.row.external_id] = value
    values: dict[str, list[int]] = {}
    for (stage, _person), value in last.items():
        values.setdefault(stage, []).append(value)
    return {
        stage: 100 * sum(value >= 4 for value in found) / len(found)
        for stage, found in values.items()
        if len(found) >= least
    }


def _document_list(plan: Plan, replies: Sequence[Reply]) -> list[str]:
    """T2 on the drawn answers of the waves."""
    halves = [_branch_labels(replies, *half) for half in list_halves(plan)]
    return list_faults(plan, *halves)


def list_halves(plan: Plan) -> list[tuple[date, date]]:
    """The half-years before and after the document list came."""
    day, half = moved(plan, DOCUMENT_LIST_ON), timedelta(days=182)
    return [(day - half, day), (day, day + half)]


def list_faults(plan: Plan, before: dict[str, Labels], after: dict[str, Labels]) -> list[str]:
    """T2: the branch with the document list is better afterwards, and no other branch is."""
    found = {
        branch: difference
        for branch in sorted(before.keys() & after.keys())
        if (difference := comparing.nps_diff_labels(before[branch], after[branch]))
    }
    here = found.pop(LIST_BRANCH, None)
    if here is None or here.diff <= 0:
        return ["T2: the branch with the document list is not better afterwards"]
    if plan.size != "small" and (here.p_value is None or here.p_value >= CLEAR):
        return [f"T2: the difference of the branch has p = {here.p_value}"]
    adjusted = comparing.p_adjust([other.p_value for other in found.values()])
    others = [code for code, p in zip(found, adjusted, strict=True) if p is not None and p < ALPHA]
    return [f"T2: {', '.join(others)} changed too"] if others else []


def _branch_labels(replies: Sequence[Reply], start: date, end: date) -> dict[str, Labels]:
    """The label of each client by branch, from the waves within some days."""
    held = [reply for reply in replies if start <= reply.submitted_at.date() < end]
    found: dict[str, Labels] = {}
    means = client_means(held, datetime.min.replace(tzinfo=ZONE))
    for firm in {reply.ask.firm.ordinal: reply.ask.firm for reply in held}.values():
        owner = firm.heir or firm
        if owner.ordinal in means and owner.row.team is not None:
            label = scores.client_label(means[owner.ordinal])
            found.setdefault(owner.row.team.code, {})[owner.ordinal] = label
    return found


def _giants(plan: Plan, firms: Sequence[Firm], means: dict[int, float]) -> list[str]:
    """T3: both giants are detractors, and money is far less content than heads."""
    labels = {ordinal: scores.client_label(mean) for ordinal, mean in means.items()}
    faults = [
        f"T3: {firm.row.short_name} is no detractor"
        for firm in firms
        if firm.giant and labels.get(firm.ordinal) != "detractor"
    ]
    heads = _points((labels[ordinal], Decimal(1)) for ordinal in labels)
    money = _points((labels[f.ordinal], f.exposure) for f in firms if f.ordinal in labels)
    if not NPS_RANGE[0] <= heads <= NPS_RANGE[1]:
        faults.append(f"T3: client NPS is {heads:+.1f}, not {NPS_RANGE[0]:+} to {NPS_RANGE[1]:+}")
    if heads - money < MONEY[plan.size]:
        faults.append(f"T3: exposure NPS is only {heads - money:.1f} points lower")
    return faults


def _points(votes: Iterable[tuple[str | None, Decimal]]) -> float:
    found = list(votes)
    total = sum((weight for _label, weight in found), Decimal(0)) or Decimal(1)
    signs = {"promoter": 1, "detractor": -1}
    return float(100 * sum(signs.get(label or "", 0) * weight for label, weight in found) / total)


def client_means(replies: Sequence[Reply], since: datetime) -> dict[int, float]:
    """Mean of the last relationship answer of each contact, by client."""
    last: dict[str, Reply] = {}
    for reply in sorted(replies, key=lambda reply: reply.submitted_at):
        relational = reply.ask.questionnaire == RELATIONAL
        if relational and reply.score is not None and reply.submitted_at >= since:
            last[reply.ask.person.row.external_id] = reply
    answers: dict[int, list[int]] = {}
    for reply in last.values():
        firm = reply.ask.firm.heir or reply.ask.firm
        answers.setdefault(firm.ordinal, []).append(reply.values["nps"])
    return {ordinal: _mean(values) for ordinal, values in answers.items()}


def _first_driver(replies: Sequence[Reply], since: datetime) -> list[str]:
    """T5: of the three core items, efficiency goes most with the willingness to recommend."""
    rows = [
        (reply.score, *(reply.values.get(item) for item in ITEMS))
        for reply in replies
        if reply.ask.questionnaire == RELATIONAL and reply.submitted_at >= since
    ]
    complete = [row for row in rows if all(isinstance(value, int) for value in row)]
    columns = list(zip(*complete, strict=True))
    found = dict(
        zip(ITEMS, (correlation(columns[0], column) for column in columns[1:]), strict=True)
    )
    if max(found, key=lambda item: found[item]) != EFFICIENCY:
        return ["T5: efficiency does not go most with the willingness to recommend"]
    return []


def _zeros(plan: Plan, replies: Sequence[Reply]) -> list[str]:
    """T9: so many answers are 0."""
    zeros = sum(reply.score == 0 for reply in replies)
    wanted = plan.numbers.zeros
    return [] if zeros == wanted else [f"T9: {zeros} answers of 0, not {wanted}"]


def _grid(firms: Sequence[Firm], means: dict[int, float]) -> list[str]:
    """T12: some who do not pay are delighted, some first-class debtors are not."""
    labels = {ordinal: scores.client_label(mean) for ordinal, mean in means.items()}
    delighted = sum(
        labels.get(firm.ordinal) == "promoter"
        for firm in firms if firm.row.risk_class == "substandard"
    )  # fmt: skip
    leaving = sum(labels.get(firm.ordinal) == "detractor" for firm in firms if firm.strong)
    if min(delighted, leaving) < GRID:
        return [f"T12: {delighted} bad debtors are delighted and {leaving} good ones are not"]
    return []


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)
