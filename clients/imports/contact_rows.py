"""The kind `contacts`: people, and the consent that a file may report but never overrule."""

from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from bank.models import ApiKey, User
from clients import consent
from clients.imports import cells
from clients.imports.cells import Column
from clients.imports.kinds import BATCH, RecordKind, Row
from clients.imports.lookup import Lookup
from clients.imports.reporting import Report, Say
from clients.models import Consent, Contact


class ContactKind(RecordKind):
    """Contacts by their number in the bank's own system."""

    name = "contacts"
    title_zh, title_en = "联系人", "Contacts"
    key = ("external_id",)
    model = Contact
    shape: ClassVar = (
        Column(
            "external_id",
            "联系人编号",
            "Contact number",
            cells.text(64),
            "external_id",
            needed=True,
        ),
        Column(
            "client_code",
            "客户编号",
            "Client code",
            cells.lookup("clients", _("a client code")),
            "client_id",
            table="clients",
            needed=True,
        ),
        Column("name", "姓名", "Name", cells.text(100), "name", needed=True),
        Column("salutation", "称谓", "Salutation", cells.text(40), "salutation", blank=""),
        Column("position", "职务", "Position", cells.text(100), "position", blank=""),
        Column(
            "job_role", "岗位角色", "Job role", cells.code(*Contact.JobRole.values), "job_role"
        ),
        Column(
            "buying_role",
            "决策角色",
            "Buying role",
            cells.code(*Contact.BuyingRole.values),
            "buying_role",
        ),
        Column("email", "电子邮箱", "E-mail", cells.email, "email", needed=True),
        Column("phone", "电话", "Phone", cells.text(40), "phone", blank=""),
        Column(
            "language",
            "语言",
            "Language",
            cells.code(*Contact.Language.values),
            "language",
            clearable=False,
        ),
        Column("time_zone", "时区", "Time zone", cells.zone, "time_zone", blank=""),
        Column(
            "survey_consent",
            "调查同意",
            "Survey consent",
            cells.code(*Consent.State.values),
            blank=Consent.State.UNKNOWN.value,
        ),
        Column("left_on", "离职日期", "Left on", cells.day, "left_on"),
    )
    measured: ClassVar[frozenset[str] | None] = frozenset(
        {"client_id", "buying_role", "job_role", "left_on"}
    )

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[int, tuple[str, str]] = {}  # contact row → state, source
        self.closed: set[str] = set()
        self.consents: dict[str, str] = {}  # contact number → state to be written

    def prepare(self, rows: list[Row], look: Lookup, report: Report) -> None:
        """Know what was agreed so far, and which addresses their owners have closed."""
        if not any("survey_consent" in row.values for row in rows):
            return
        stored = Consent.objects.filter(purpose=Consent.Purpose.SURVEY)
        self.given = {
            contact: (state, source)
            for contact, state, source in stored.values_list("contact", "state", "source")
        }
        self.closed = consent.closed_addresses()

    def beside(self, row: Row, item: Any, report: Report) -> dict[str, tuple[str, str]]:
        """The consent, unless the person has spoken: then the file is told so and overruled."""
        state = row.values.get("survey_consent")
        if state is None:
            return {}
        old, source = self.given.get(item.pk, ("", "")) if item is not None else ("", "")
        if old == state or (not old and state == Consent.State.UNKNOWN):
            return {}
        address = row.values.get("email") or (item.email if item is not None else "")
        if source == Consent.Source.PERSON or (
            self.closed and consent.digest(address) in self.closed
        ):
            say = Say(_("The person decided otherwise; the file does not change that."))
            report.warn(row.number, "survey_consent", state, say)
            return {}
        self.consents[row.values["external_id"]] = state
        return {"survey_consent": (old, state)}

    def write(self, *, at: datetime, by: User | ApiKey | None) -> None:
        """Contacts first, then what they agreed to."""
        super().write(at=at, by=by)
        stored = self.existing(self.consents)
        rows = [
            Consent(
                contact=stored[number],
                purpose=Consent.Purpose.SURVEY,
                state=state,
                source=Consent.Source.IMPORT,
                at=at,
            )
            for number, state in self.consents.items()
        ]
        Consent.objects.bulk_create(
            rows,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["contact", "purpose"],
            update_fields=["state", "source", "at"],
        )
