"""The kind `responses`: one row is one response with its answers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from bank.models import ApiKey, User
from clients.imports import cells
from clients.imports.cells import Column
from clients.imports.kinds import BATCH, Kind, Row
from clients.imports.lookup import Lookup
from clients.imports.reporting import Report, Say, Unfit, shown
from clients.models import Contact
from surveys import questionnaires
from surveys.imports import answers
from surveys.imports.answers import Given
from surveys.models import Answer, Question, Questionnaire, Response, Version

CHANNEL = "import"
_BLOCK = 5_000
_FIXED = (
    Column("response_id", "答复编号", "Response number", cells.text(120), needed=True),
    Column(
        "client_code",
        "客户编号",
        "Client code",
        cells.lookup("clients", _("a client code")),
        needed=True,
    ),
    Column(
        "contact_external_id",
        "联系人编号",
        "Contact number",
        cells.lookup("contacts", _("a contact number")),
    ),
    Column("questionnaire", "问卷", "Questionnaire", cells.text(60), needed=True),
    Column(
        "submitted_at",
        "提交时间",
        "Submitted at",
        cells.moment,
        needed=True,
        doubt=cells.ahead,
    ),
)


def _as_it_is(cell: object, _look: Lookup) -> object:
    """An answer can be judged only when its question is known."""
    return cell


class ResponseKind(Kind):
    """Answers of earlier surveys; invalid ones are kept out with a warning, never mended."""

    name = "responses"
    title_zh, title_en = "答复", "Responses"
    key = ("response_id",)

    def __init__(self) -> None:
        lines = Questionnaire.objects.filter(is_active=True).order_by("key")
        found = {line.key: questionnaires.current(line) for line in lines}
        self.versions: dict[str, Version] = {key: one for key, one in found.items() if one}
        self.questions: dict[int, dict[str, Question]] = {}
        self.look = Lookup()
        self.stored: dict[str, Response] = {}
        self.answers: dict[int, dict[int, Answer]] = {}
        self.languages: dict[int, str] = {}
        self.fresh: list[tuple[Response, dict[str, Given]]] = []
        self.altered: list[tuple[Response, dict[str, Given | None]]] = []

    def columns(self) -> Sequence[Column]:
        """The fixed columns, then one per question key of the questionnaires in force."""
        names: dict[str, Question] = {}
        for version in self.versions.values():
            for question in questionnaires.questions(version):
                names.setdefault(question.key, question)
        taken = {column.name for column in _FIXED}
        return [*_FIXED] + [
            Column(key, key, key, _as_it_is, clearable=False) for key in names if key not in taken
        ]

    def plan(self, rows: list[Row], look: Lookup, report: Report) -> None:
        """Compare each response and each of its answers with what is stored."""
        self._load([row.values["response_id"] for row in rows])
        if any("contact_external_id" in row.values for row in rows):
            self.languages = dict(Contact.objects.values_list("pk", "language"))
        self.look = look
        for row in rows:
            stored = self.stored.get(row.values["response_id"])
            if self._sound(row, stored, report):
                self._compare(row, stored, report)

    def write(self, *, at: datetime, by: User | ApiKey | None) -> None:
        """Responses first, then their answers; a changed response is a further revision."""
        Response.objects.bulk_create([item for item, _given in self.fresh], batch_size=BATCH)
        changed = [item for item, _given in self.altered]
        fields = ["client", "contact", "submitted_at", "revision"]
        Response.objects.bulk_update(changed, fields, batch_size=200)
        Answer.objects.bulk_create(
            list(self._rows()),
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["response", "question"],
            update_fields=["value", "na", "text", "choices"],
        )
        for item, given in self.altered:
            questions = self._asked(item.version_id)
            gone = [questions[key].pk for key, answer in given.items() if answer is None]
            if gone:
                item.answers.filter(question__in=gone).delete()

    def _rows(self) -> Iterator[Answer]:
        written: list[tuple[Response, Mapping[str, Given | None]]] = [*self.fresh, *self.altered]
        for item, given in written:
            questions = self._asked(item.version_id)
            for key, answer in given.items():
                if answer is not None:
                    yield Answer(
                        response=item,
                        question=questions[key],
                        value=answer.value,
                        na=answer.na,
                        text=answer.text,
                        choices=answer.choices,
                    )

    def _load(self, numbers: list[str]) -> None:
        for start in range(0, len(numbers), _BLOCK):
            block = numbers[start : start + _BLOCK]
            found = Response.objects.filter(response_id__in=block)
            for item in found.select_related("version__questionnaire"):
                self.stored[item.response_id] = item
            for answer in Answer.objects.filter(response__response_id__in=block):
                self.answers.setdefault(answer.response_id, {})[answer.question_id] = answer

    def _asked(self, version_id: int) -> dict[str, Question]:
        """The questions of a version by key, read once per run."""
        if version_id not in self.questions:
            version = Version.objects.get(pk=version_id)
            rows = questionnaires.questions(version)
            self.questions[version_id] = {question.key: question for question in rows}
        return self.questions[version_id]

    def _sound(self, row: Row, stored: Response | None, report: Report) -> bool:
        """Judge the row as a whole, apart from the answers."""
        values = row.values
        error: tuple[str, object, Say] | None = None
        line = values.get("questionnaire")
        contact = values.get("contact_external_id")
        client = values.get("client_code") or (stored.client_id if stored else None)
        missing = [column.name for column in _FIXED if column.needed]
        missing = [name for name in missing if values.get(name) is None]
        if stored is None and missing:
            error = (missing[0], "", Say(_("A value is needed here.")))
        elif line is not None and line not in self.versions:
            form = Say(_("one of: %(codes)s"), codes=", ".join(self.versions))
            error = ("questionnaire", line, Say(_("expected: %(form)s"), form=form))
        elif contact and contact[1] != client:
            say = Say(_("This person belongs to another client."))
            error = ("contact_external_id", row.cell("contact_external_id"), say)
        elif stored is not None and self._is_foreign(stored, line):
            say = Say(_("This number belongs to an answer that no file may change."))
            error = ("response_id", values["response_id"], say)
        if error is not None:
            report.error(row.number, *error)
        return error is None

    def _is_foreign(self, stored: Response, line: str | None) -> bool:
        """Given through a link, taken back, or of another questionnaire: not ours to change.

        Nor is the answer of a client out of reach.
        """
        if self.look.limited and stored.client_id not in self.look.client_ids:
            return True
        if stored.channel != CHANNEL or stored.retracted_at is not None:
            return True
        return line is not None and stored.version.questionnaire.key != line

    def _compare(self, row: Row, stored: Response | None, report: Report) -> None:
        values = row.values
        version_id = stored.version_id if stored else self.versions[values["questionnaire"]].pk
        given = self._given(row, version_id, report)
        if stored is None:
            answered = {key: answer for key, answer in given.items() if answer is not None}
            self.fresh.append((self._new(values, version_id), answered))
            report.new += 1
            report.change(
                row.number,
                values["response_id"],
                lambda: {key: ("", answer.shown()) for key, answer in answered.items()},
            )
            return
        self._alter(row, stored, given, report)

    def _alter(
        self, row: Row, stored: Response, given: dict[str, Given | None], report: Report
    ) -> None:
        questions = self._asked(stored.version_id)
        known = self.answers.get(stored.pk, {})
        different = {}
        for key, answer in given.items():
            before = known.get(questions[key].pk)
            if before is not None if answer is None else answer.differs(before):
                different[key] = answer
        head = self._head(row, stored)
        if not different and not head:
            report.unchanged += 1
            return
        for name, value in head.items():
            setattr(stored, name, value)
        stored.revision += 1
        self.altered.append((stored, different))
        report.changed += 1
        told = {key: ("", answer.shown() if answer else "") for key, answer in different.items()}
        told |= {name: ("", shown(value)) for name, value in head.items()}
        report.change(row.number, stored.response_id, lambda: told)

    def _head(self, row: Row, stored: Response) -> dict[str, Any]:
        """Changed columns of the response itself."""
        contact = row.values.get("contact_external_id", (stored.contact_id, 0))
        wanted = {
            "client_id": row.values.get("client_code", stored.client_id),
            "contact_id": contact[0] if contact else None,
            "submitted_at": row.values.get("submitted_at", stored.submitted_at),
        }
        return {name: value for name, value in wanted.items() if getattr(stored, name) != value}

    def _new(self, values: dict[str, Any], version_id: int) -> Response:
        contact = values.get("contact_external_id")
        contact_id = contact[0] if contact else None
        return Response(
            response_id=values["response_id"],
            client_id=values["client_code"],
            contact_id=contact_id,
            version_id=version_id,
            language=self.languages.get(contact_id or 0, "zh"),
            channel=CHANNEL,
            submitted_at=values["submitted_at"],
        )

    def _given(self, row: Row, version_id: int, report: Report) -> dict[str, Given | None]:
        """The answers of a row; what is invalid or was not asked is kept out and reported."""
        questions = self._asked(version_id)
        fixed = {column.name for column in _FIXED}
        found: dict[str, Given | None] = {}
        for name, cell in row.values.items():
            if name in fixed:
                continue
            if name not in questions:
                say = Say(_("The questionnaire does not ask this; kept out."))
                report.warn(row.number, name, cell, say)
                continue
            try:
                found[name] = answers.parse(questions[name], cell)
            except Unfit as unfit:
                say = Say(_("kept out; expected: %(form)s"), form=unfit.say)
                report.warn(row.number, name, cell, say)
        return found
