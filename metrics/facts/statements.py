"""The statement over answers, one text for both databases; what it does stands in `answers`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import connection

from metrics.facts import columns, mergers
from metrics.facts.where import PART, POPULATIONS, Clause, Cut, conditions, joins, numbers
from metrics.formulas.parameters import DEFAULT, Parameters
from metrics.formulas.periods import Bounds
from metrics.formulas.scores import CES_HI, CES_LO
from surveys.models import Question, Version


@dataclass(frozen=True)
class Asked:
    """Some windows with one set of successors, and the cut through their facts."""

    windows: Sequence[tuple[int, Bounds]]
    cut: Cut
    successors: dict[int, int]
    rules: Parameters
    # A table that holds what `marked` would, of all windows at once.
    table: str = ""
    wanted: Mapping[str, str] = field(default_factory=lambda: columns.COLUMNS)

    @property
    def key(self) -> str:
        """The expression of the client under which a fact counts."""
        return mergers.key("fact.client_id", self.successors)

    @property
    def columns(self) -> dict[str, str]:
        """The columns that are added up."""
        weighs = bool(self.rules.clients.role_weights)
        return {**self.wanted, **(columns.WEIGHTED if weighs else {})}

    def spans(self) -> Clause:
        """The windows as rows of number, start and end."""
        rows = ", ".join(f"({place}, %s, %s)" for place, _window in self.windows)
        ends = [end for _place, window in self.windows for end in (window.start, window.end)]
        return Clause(rows, tuple(moment(end) for end in ends))

    def kept(self, instant: str) -> list[Clause]:
        """The conditions on facts; those outside all windows are not needed."""
        found = [
            *conditions(self.cut.where),
            Clause(f"{instant} >= %s", (moment(min(w.start for _, w in self.windows)),)),
            Clause(f"{instant} < %s", (moment(max(w.end for _, w in self.windows)),)),
        ]
        if self.cut.clients is not None:
            found.append(
                Clause(mergers.chosen("fact.client_id", self.successors, self.cut.clients))
            )
        return [*found, Clause(f"{PART[self.cut.by]} IS NOT NULL")] if self.cut.by else found


def answers(asked: Asked) -> Clause:
    """Window, population, part and client, then the sums; all of double precision."""
    spans = asked.spans()
    before = Clause("") if asked.table else marked(asked)
    where = ""
    if asked.table and asked.cut.population is not None:
        where = f"WHERE population = {POPULATIONS.index(asked.cut.population)}"
    selected = ", ".join(
        f"CAST({value} AS {columns.FLOAT})"
        for value in ("slot", "population", "part", "client", *asked.columns.values())
    )
    text = f"""
WITH span (slot, starts, ends) AS (VALUES {spans.text}),
{f"marked AS ({before.text})," if before.text else ""}
counted AS (
    SELECT span.slot, population, part, client, weight, is_open, {columns.lasts()}
    FROM {asked.table or "marked"} marked
    JOIN span ON marked.at >= span.starts AND marked.at < span.ends {where}
)
SELECT {selected} FROM counted GROUP BY slot, population, part, client
ORDER BY slot, population, part, client
"""  # noqa: S608 - the pieces are constants and whole numbers
    return Clause(text, (*spans.params, *before.params))


def marked(asked: Asked) -> Clause:
    """One row for each response, with the instant of the next value of each item."""
    given, csat = _given(asked), columns.composite(asked.rules.csat)
    text = f"""
WITH item AS ({_items()}),
given AS ({given.text})
SELECT scored.*, {columns.nexts()} FROM (SELECT given.*, {csat} AS csat FROM given) scored
WINDOW later AS (
    PARTITION BY client, population, part, person ORDER BY at DESC, number DESC
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
)
"""  # noqa: S608
    return Clause(text, given.params)


def _given(asked: Asked) -> Clause:
    """One row for each response: who, when, how it counts, and its values."""
    kept = [
        *asked.kept("fact.submitted_at"),
        Clause("fact.retracted_at IS NULL AND NOT fact.is_test"),
        Clause("answer.value BETWEEN item.lo AND item.hi"),
    ]
    if asked.cut.where.without:
        kept.append(Clause(f"fact.id NOT IN ({numbers(asked.cut.where.without)})"))
    if asked.cut.population is not None:
        kept.append(Clause("item.population = %s", (POPULATIONS.index(asked.cut.population),)))
    role = _role_weight(asked.rules)
    tables = joins(
        asked.cut.where,
        key=asked.key,
        invitation="fact.invitation_id",
        by=asked.cut.by,
        with_contact=bool(role.params),
    )
    text = f"""
SELECT {asked.key} AS client, MAX(item.population) AS population,
    MAX({PART[asked.cut.by]}) AS part, fact.submitted_at AS at,
    COALESCE(fact.contact_id, -fact.id) AS person,
    fact.response_id {collation()} AS number, MAX(item.is_open) AS is_open,
    {role.text} AS weight, {columns.pivoted()}
FROM surveys_response fact
JOIN surveys_answer answer ON answer.response_id = fact.id
JOIN item ON item.id = answer.question_id
{tables}
WHERE {" AND ".join(one.text for one in kept)}
GROUP BY fact.id
"""  # noqa: S608
    return Clause(text, (*role.params, *(value for one in kept for value in one.params)))


def _items() -> str:
    """Questions that figures are made of; one of another scale is another series."""
    core = columns.DIMENSIONS
    codes = " ".join(
        f"WHEN {_is(name)} THEN {code}"  # one branch for each item
        for code, name in enumerate(columns.ITEMS)
    )
    kinds = " ".join(f"WHEN '{kind}' THEN {code}" for code, kind in enumerate(POPULATIONS))
    some = " OR ".join(f"({_is(name)})" for name in (*core, columns.NPS, columns.CES))
    some += " OR " + " OR ".join(_is(name) for name in columns.RATINGS)
    return f"""
SELECT question.id, CASE {codes} END AS code, question.lo, question.hi,
    question.reversed AS turned, CASE line.kind {kinds} END AS population,
    CASE text.attribution WHEN '{Version.Attribution.RELATIONSHIP_TEAM}' THEN 1 ELSE 0 END
        AS is_open
FROM surveys_question question
JOIN surveys_version text ON text.id = question.version_id
JOIN surveys_questionnaire line ON line.id = text.questionnaire_id
WHERE {some}
"""  # noqa: S608


def _is(name: str) -> str:
    """The condition that a question asks for this item, on the item's own scale."""
    kind = "question.type = '{}' AND question.lo = {} AND question.hi = {}".format
    if name == columns.NPS:
        return kind(Question.Type.NPS, 0, 10)
    if name == columns.CES:
        return kind(Question.Type.CES, CES_LO, CES_HI)
    if name in columns.RATINGS:
        return f"question.type = '{Question.Type.RATING}' AND question.dimension = '{name}'"
    scale = kind(Question.Type.CSAT, DEFAULT.csat.lo, DEFAULT.csat.hi)
    return f"{scale} AND question.csat_core AND question.dimension = '{name}'"


def _role_weight(rules: Parameters) -> Clause:
    """How much the person's role weighs in the client's mean."""
    held = rules.clients.role_weights
    if not held:
        return Clause("1")
    whens = " ".join("WHEN %s THEN " + _weight(weight) for _role, weight in held)
    text = f"MAX(CASE contact.buying_role {whens} ELSE {_weight(rules.clients.role_weight)} END)"
    return Clause(text, tuple(role for role, _weight_ in held))


def _weight(weight: float) -> str:
    return f"CAST({max(0, round(weight * columns.COARSE)) / columns.COARSE!r} AS {columns.FLOAT})"


def moment(at: datetime) -> object:
    """An instant as the database compares it."""
    return connection.ops.adapt_datetimefield_value(at)


def instant(found: datetime | str | None) -> datetime | None:
    """An instant as a statement returns it; SQLite's is text in UTC."""
    if isinstance(found, str):
        return datetime.fromisoformat(found).replace(tzinfo=UTC)
    return found


def collation() -> str:
    """The order of response numbers is that of their bytes, on every server."""
    return 'COLLATE "C"' if connection.vendor == "postgresql" else "COLLATE BINARY"
