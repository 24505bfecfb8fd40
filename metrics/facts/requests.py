"""Who was asked, and what became of it: invitations that left the house, as sums by client.

Outcomes are those of AAPOR (metrics-spec 6.1): `i` complete, `p` partial, `r` opened and left or
broken off, `nc` never opened. All stay in the base. Completion goes by the applicable questions:
a conditional question counts as asked where it was answered, for those left empty are all
optional, and whether they were on the page cannot be told from the stored rows.
"""

from collections.abc import Sequence

from metrics.facts import mergers, tables
from metrics.facts.mergers import Mergers
from metrics.facts.statements import Asked
from metrics.facts.tables import Slot, Table
from metrics.facts.where import ALL, PART, POPULATIONS, Clause, Cut, joins
from metrics.formulas.parameters import DEFAULT, Parameters, Responding
from metrics.formulas.periods import Bounds
from surveys.models import Question

OUTCOMES = ("i", "p", "r", "nc")


def many(
    windows: Sequence[Bounds],
    cut: Cut = ALL,
    *,
    known: Mergers | None = None,
    rules: Parameters = DEFAULT,
) -> dict[Slot, Table]:
    """The outcomes of each client that was asked, by the instant of sending; one query.

    The columns are those of `OUTCOMES` and their sum, `asked`.
    """
    known = mergers.known() if known is None else known
    called = tables.names(cut.by)
    found: dict[Slot, Table] = {}
    for successors, places in known.alike(windows):
        asked = Asked([(place, windows[place]) for place in places], cut, successors, rules)
        statement = _statement(asked)
        width, long_ = 4 + len(OUTCOMES), tables.is_many(cut.clients)
        rows = tables.read(statement.text, statement.params, width=width, many=long_)
        for slot, held in tables.split(rows, by=cut.by, called=called):
            found[slot] = tables.table(held, OUTCOMES)
    for table in found.values():
        table.columns["asked"] = sum(table[name] for name in OUTCOMES[1:]) + table["i"]
    return found


def empty() -> Table:
    """The outcomes of nobody."""
    return tables.nobody([*OUTCOMES, "asked"])


def _statement(asked: Asked) -> Clause:
    spans, given = asked.spans(), _given(asked)
    counted = ", ".join(
        f"CAST(COUNT(*) FILTER (WHERE outcome = {place}) AS double precision)"
        for place in range(len(OUTCOMES))
    )
    text = f"""
WITH span (slot, starts, ends) AS (VALUES {spans.text}),
text AS (
    SELECT question.version_id, COUNT(*) FILTER (WHERE question.show_if IS NULL) AS questions,
        COUNT(*) FILTER (WHERE question.type = '{Question.Type.NPS}') AS recommend
    FROM surveys_question question GROUP BY question.version_id
),
given AS ({given.text}),
told AS (
    SELECT given.*, {_outcome(asked.rules.responding)} AS outcome
    FROM given LEFT JOIN text ON text.version_id = given.version
)
SELECT CAST(slot AS double precision), CAST(population AS double precision),
    CAST(part AS double precision), CAST(client AS double precision), {counted}
FROM told JOIN span ON told.at >= span.starts AND told.at < span.ends
GROUP BY slot, population, part, client ORDER BY slot, population, part, client
"""  # noqa: S608 - the pieces are constants and whole numbers
    return Clause(text, (*spans.params, *given.params))


def _given(asked: Asked) -> Clause:
    """One row for each invitation, with what was answered of which questions."""
    kept = asked.kept("fact.sent_at")
    kinds = " ".join(f"WHEN '{kind}' THEN {code}" for code, kind in enumerate(POPULATIONS))
    if asked.cut.population is not None:
        kept.append(Clause("line.kind = %s", (asked.cut.population,)))
    text = f"""
SELECT {asked.key} AS client, MAX(CASE line.kind {kinds} END) AS population,
    MAX({PART[asked.cut.by]}) AS part, fact.sent_at AS at, fact.opened_at AS opened,
    MAX(back.version_id) AS version,
    COUNT(answer.id) FILTER (WHERE question.show_if IS NULL) AS plain,
    COUNT(answer.id) FILTER (WHERE question.show_if IS NOT NULL) AS conditional,
    COUNT(answer.value) FILTER (WHERE question.type = '{Question.Type.NPS}') AS core
FROM surveys_invitation fact
JOIN surveys_version asked_text ON asked_text.id = fact.version_id
JOIN surveys_questionnaire line ON line.id = asked_text.questionnaire_id
LEFT JOIN surveys_response back ON back.invitation_id = fact.id
    AND back.retracted_at IS NULL AND NOT back.is_test
LEFT JOIN surveys_answer answer ON answer.response_id = back.id
LEFT JOIN surveys_question question ON question.id = answer.question_id
{joins(asked.cut.where, key=asked.key, invitation="fact.id", by=asked.cut.by)}
WHERE {" AND ".join(one.text for one in kept)}
GROUP BY fact.id
"""  # noqa: S608
    return Clause(text, tuple(value for one in kept for value in one.params))


def _outcome(rules: Responding) -> str:
    """The place in `OUTCOMES`; the same verdict as `responding.completion`."""
    base = "(COALESCE(questions, 0) + conditional)"
    share = f"CASE WHEN {base} = 0 THEN 0 ELSE CAST(plain + conditional AS double precision) "
    share = f"({share} / {base} END)"
    core = "core >= COALESCE(recommend, 0)"
    return f"""CASE
    WHEN version IS NULL AND opened IS NULL THEN 3
    WHEN version IS NULL THEN 2
    WHEN {share} >= CAST({rules.complete_from!r} AS double precision) AND {core} THEN 0
    WHEN {share} >= CAST({rules.partial_from!r} AS double precision) THEN 1
    WHEN {core} AND COALESCE(recommend, 0) > 0 THEN 1
    ELSE 2 END"""
