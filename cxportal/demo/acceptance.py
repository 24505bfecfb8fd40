"""The planted truths, judged on what the product itself shows."""

from datetime import date

from django.conf import settings
from django.db.models import F, Q

from bank import workdays
from bank.models import Team, User
from clients.models import Client, Milestone, Stage
from cxportal.demo import truths
from cxportal.demo.firms import SMALL_BRANCH
from cxportal.demo.old_wave import SOURCE
from cxportal.demo.speakers import SMALL_CELL, TENS, TENS_BRANCH
from cxportal.demo.streams import Plan
from metrics import queries
from metrics.facts import answers, suspicion
from metrics.facts.columns import HISTOGRAM
from metrics.facts.tables import Table
from metrics.facts.where import Where
from metrics.formulas import periods, scores
from metrics.formulas.periods import Bounds
from metrics.models import Scope
from surveys.models import Answer, Hit, Response

GIANTS = ("C000001", "C000002")
YEARLY = "rolling12m"
EFFICIENCY = "processing_efficiency"
LEAST = 5
LATE_SHARE = 0.45
SILENT = (0.305, 0.315)
NETS = ("192.0.2.", "198.51.100.")
TO_PEOPLE = 5


def missed(plan: Plan) -> list[str]:
    """The truths that the product does not show, each in one sentence."""
    return [
        *_weakest_stage(plan),
        *_late_approvals(),
        *_document_list(plan),
        *_giants(plan),
        *_silence(),
        *_machines(),
        *_old_scale(),
        *_zeros(plan),
        *_small_cell(plan),
        *_tens(plan),
        *_moves(),
    ]


def _year(plan: Plan) -> Bounds:
    return periods.parse(YEARLY, as_of=plan.now, zone=settings.TIME_ZONE)


def _weakest_stage(plan: Plan) -> list[str]:
    """T1: satisfaction with efficiency at approval is low, at every other stage much higher."""
    shares = {}
    for stage in sorted(set(Stage.objects.values_list("code", flat=True))):
        table = answers.sums(_year(plan), "transactional", where=Where(stage=stage))
        if (n := table.count(f"{EFFICIENCY}_n")) >= LEAST:
            shares[stage] = 100 * table.count(f"{EFFICIENCY}_top") / n
    here = shares.pop("approval", None)
    low, high = truths.APPROVAL_RANGE
    if here is None or not low <= here <= high:
        return [f"T1: {here} % are satisfied with efficiency at approval"]
    apart = min(shares.values(), default=0.0) - here
    wanted = truths.APART[plan.size]
    return [] if apart >= wanted else [f"T1: another stage is only {apart:.1f} points better"]


def _late_approvals() -> list[str]:
    """T1: approval takes longer than promised in almost half of the cases."""
    calendar = workdays.calendar()
    promised = {
        stage.case_kind: stage.sla_working_days or 0
        for stage in Stage.objects.filter(code="approval")
    }
    rows = Milestone.objects.filter(
        occurred_at__isnull=False, case__client__is_demo=True, event__in=_APPROVAL_EVENTS
    ).order_by("case_id", "occurred_at", "pk")
    entered: dict[int, date] = {}
    late = []
    for case, kind, event, at in rows.values_list("case", "case__kind", "event", "occurred_at"):
        if at is None:
            continue
        day = periods.local_date(at, settings.TIME_ZONE)
        if event == "review_passed":
            entered[case] = day
        elif case in entered:
            late.append(calendar.between(entered.pop(case), day) > promised[kind])
    share = sum(late) / max(len(late), 1)
    return [] if share > LATE_SHARE else [f"T1: only {share:.0%} of the approvals are late"]


_APPROVAL_EVENTS = ("review_passed", "approval_communicated", "approval_refused")


def _document_list(plan: Plan) -> list[str]:
    """T2: the branch with the document list is better afterwards, and no other branch is."""
    halves: list[dict[str, truths.Labels]] = []
    for start, end in truths.list_halves(plan):
        window = _span(start, end)
        halves.append(
            {
                team.code: _labels(answers.sums(window, "relational", where=Where(team=team.pk)))
                for team in Team.objects.filter(code__startswith="BR-")
            }
        )
    return truths.list_faults(plan, *halves)


def _span(start: date, end: date) -> Bounds:
    """From the first local midnight to the second."""
    zone = settings.TIME_ZONE
    first = periods.period_bounds(start.isoformat(), zone).start
    return Bounds(first, periods.period_bounds(end.isoformat(), zone).start)


def _labels(table: Table) -> truths.Labels:
    """The label of each client by the mean of its answers."""
    found: truths.Labels = {}
    for row, client in enumerate(table.ids.tolist()):
        counts = [int(table[name][row]) for name in HISTOGRAM]
        n = sum(counts)
        total = sum(score * count for score, count in enumerate(counts))
        found[client] = scores.client_label(total / n) if n else None
    return found


def _giants(plan: Plan) -> list[str]:
    """T3: money is much less content than heads, and two names explain it."""
    shown = queries.figures(Scope.BANK, 0, period=YEARLY)
    heads, money = shown["nps"].value, shown["nps_exposure"].value
    low, high = truths.NPS_RANGE
    if heads is None or not low <= heads <= high:
        return [f"T3: client NPS is {heads}"]
    if money is None or heads - money < truths.MONEY[plan.size]:
        return [f"T3: exposure NPS is {money} beside {heads:.1f} of the clients"]
    labels = [_label(code) for code in GIANTS]
    return [] if labels == ["detractor"] * 2 else ["T3: a giant is no detractor"]


def _label(code: str) -> str:
    """What a client is by its own figures; empty where it has none."""
    client = Client.objects.get(code=code)
    figures = queries.figures(Scope.CLIENT, client.pk, period=YEARLY)
    return figures["client_label"].label if "client_label" in figures else ""


def _silence() -> list[str]:
    """T4: 31 % of the exposure is silent, 69 % is covered, and no giant is among the silent."""
    shown = queries.figures(Scope.BANK, 0, period=YEARLY)
    silent, covered = shown["silent_exposure"].value, shown["coverage_exposure"].value
    if silent is None or covered is None:
        return ["T4: silence or coverage is not shown"]
    low, high = SILENT
    if not (low <= silent <= high and low <= 1 - covered <= high):
        return [f"T4: {silent:.1%} of the exposure is silent, {covered:.1%} covered"]
    quiet = [code for code in GIANTS if not _label(code)]
    return [f"T4: the giant {code} is silent" for code in quiet]


def _machines() -> list[str]:
    """T6: gateways fetch far more than people, and nothing they did counts."""
    machine = Hit.objects.filter(Q(address__startswith=NETS[0]) | Q(address__startswith=NETS[1]))
    people = Hit.objects.exclude(pk__in=machine).filter(method="GET").count()
    if Hit.objects.filter(method="GET").count() < TO_PEOPLE * people:
        return ["T6: too few of the hits are a machine's"]
    if machine.filter(method="POST").exists():
        return ["T6: a gateway has sent an answer in"]
    if machine.filter(person=True).exists():
        return ["T6: a gateway is taken for a person"]
    return []


def _old_scale() -> list[str]:
    """T7: the answers of the old scale are there and in no figure."""
    old = Answer.objects.filter(question__version__source_digest=SOURCE)
    if not old.exists() or old.exclude(question__type="rating").exists():
        return ["T7: the old wave is missing, or can be taken for NPS"]
    return []


def _zeros(plan: Plan) -> list[str]:
    """T9: so many answers are 0, and they count as detractors."""
    counts = answers.sums(_year(plan), "relational").count("h0")
    wanted = plan.numbers.zeros
    return [] if counts == wanted else [f"T9: {counts} answers of 0, not {wanted}"]


def _small_cell(plan: Plan) -> list[str]:
    """T10: the project finance of the smallest branch has four answers."""
    team = Team.objects.get(code=SMALL_BRANCH)
    where = Where(team=team.pk, segment=Client.Segment.PROJECT_FINANCE)
    table = answers.sums(_year(plan), "relational", where=where)
    n = sum(table.count(name) for name in HISTOGRAM)
    return [] if n == SMALL_CELL else [f"T10: {n} answers, not {SMALL_CELL}"]


def _tens(plan: Plan) -> list[str]:
    """T11: nine answers for the clients of one manager of the branch came at once."""
    found = suspicion.suspects(_year(plan), "relational", Where())
    teams = set(
        User.objects.filter(pk__in={one.manager for one in found}).values_list(
            "team__code", flat=True
        )
    )
    if len(found) == TENS and teams == {TENS_BRANCH}:
        return []
    return [f"T11: {len(found)} answers are suspicious, of {', '.join(sorted(teams)) or 'nobody'}"]


def _moves() -> list[str]:
    """T13: a client was merged, and who went elsewhere has left the answers behind."""
    faults = []
    if not Client.objects.filter(is_demo=True, merged_into__isnull=False).exists():
        faults.append("T13: no client was merged")
    elsewhere = Response.objects.standing().exclude(client=F("contact__client"))
    if not elsewhere.filter(contact__isnull=False).exists():
        faults.append("T13: no answer stands at an earlier employer")
    return faults
