"""The planted truths, judged on the generated answers before a row is written.

A test judges the same truths on the product's stored figures.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cxportal.demo.answering import Reply
from cxportal.demo.asking import RELATIONAL
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan
from metrics.formulas import scores
from surveys.models import Question

Questions = dict[str, list[Question]]
NPS_RANGE = (12.0, 30.0)
SILENT_RANGE = (30.5, 31.5)


def missed(plan: Plan, firms: Sequence[Firm], replies: Sequence[Reply]) -> list[str]:
    """The truths that the drawn answers do not show, each in one sentence."""
    since = plan.now - timedelta(days=365)
    means = _client_means(replies, since)
    faults = []
    labels = [scores.client_label(mean) for mean in means.values()]
    nps = 100 * (labels.count("promoter") - labels.count("detractor")) / max(len(labels), 1)
    if not NPS_RANGE[0] <= nps <= NPS_RANGE[1]:
        faults.append(f"T3: client NPS is {nps:+.1f}, not {NPS_RANGE[0]:+} to {NPS_RANGE[1]:+}")
    faults += [
        f"T3: {firm.row.short_name} is no detractor"
        for firm in firms
        if firm.giant and scores.client_label(means.get(firm.ordinal, 10.0)) != "detractor"
    ]
    others = [firm for firm in firms if not firm.giant]
    heard = {reply.ask.firm.ordinal for reply in replies if reply.submitted_at >= since}
    silent = 100 * sum(firm.ordinal not in heard for firm in others) / len(others)
    if not SILENT_RANGE[0] <= silent <= SILENT_RANGE[1]:
        faults.append(f"T4: {silent:.1f} % of the clients are silent, not 31")
    zeros = sum(reply.score == 0 for reply in replies)
    if zeros != plan.numbers.zeros:
        faults.append(f"T9: {zeros} answers of 0, not {plan.numbers.zeros}")
    return faults


def _client_means(replies: Sequence[Reply], since: datetime) -> dict[int, float]:
    """Mean of the last relationship answer of each contact, by client."""
    last: dict[str, Reply] = {}
    for reply in sorted(replies, key=lambda reply: reply.submitted_at):
        relational = reply.ask.questionnaire == RELATIONAL
        if relational and reply.score is not None and reply.submitted_at >= since:
            last[reply.ask.person.row.external_id] = reply
    answers: dict[int, list[int]] = {}
    for reply in last.values():
        answers.setdefault(reply.ask.firm.ordinal, []).append(reply.values["nps"])
    return {ordinal: sum(values) / len(values) for ordinal, values in answers.items()}
