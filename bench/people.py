"""The invented bank of a run: clients, persons and one campaign, the same in every run."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from clients.models import Client, Consent, Contact
from surveys import campaigns, letters, links, questionnaires, rosters
from surveys.models import Campaign, Invitation, Questionnaire, Version

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # a Tuesday, 10:00 in Shanghai
NUMBERS = UUID("7f1e3c52-9d7a-4a58-8f3e-0c5b1d2e4f60")
BLOCK = 5_000


def version(key: str = "relational_nps_csat") -> Version:
    """The shipped questionnaire."""
    found = questionnaires.current(Questionnaire.objects.get(key=key))
    assert found is not None
    return found


def contacts(count: int, mark: str) -> list[Contact]:
    """So many clients with one person each who may be asked."""
    clients = Client.objects.bulk_create(
        [
            Client(
                code=f"{mark}{number:06d}",
                name_zh=f"云汀第{number}制造有限公司",
                name_en=f"Yunting Manufacturing {number} Co., Ltd.",
            )
            for number in range(count)
        ],
        batch_size=BLOCK,
    )
    people = Contact.objects.bulk_create(
        [
            Contact(
                external_id=f"P-{client.code}",
                client=client,
                name=f"程{number}",
                salutation=f"程{number}女士",
                email=f"p{number}@{mark.lower()}.example",
                language="zh" if number % 4 else "en",
                buying_role="user",
            )
            for number, client in enumerate(clients)
        ],
        batch_size=BLOCK,
    )
    Consent.objects.bulk_create(
        [
            Consent(
                contact=person,
                purpose="survey",
                state="yes",
                source="import",
                at=AT - timedelta(days=400),
            )
            for person in people
        ],
        batch_size=BLOCK,
    )
    return people


def campaign(people: list[Contact], at: datetime = AT) -> Campaign:
    """Launch one campaign to these people, by the product's own acts."""
    codes = Client.objects.filter(contacts__in=[one.pk for one in people])
    plan = campaigns.plan(
        "Bench",
        questionnaire=version().questionnaire,
        audience={"client_codes": list(codes.values_list("code", flat=True))},
        send_at=None,
        closes_at=at + timedelta(days=30),
        send_window=False,
        at=at,
        by=None,
    )
    launched = campaigns.launch(plan, at=at, by=None)
    rosters.fill(at)
    return launched


def invitations(people: list[Contact], mark: str, *, at: datetime) -> list[Invitation]:
    """Invited persons of no campaign, with links that can be recomputed."""
    asked = version()
    shared = letters.common(asked, closes_at=at + timedelta(days=30), at=at)
    rows = []
    for person in people:
        number = uuid5(NUMBERS, f"{mark}{person.external_id}")
        rows.append(
            Invitation(
                uuid=number,
                contact=person,
                client_id=person.client_id,
                version=asked,
                language=person.language,
                variables=shared | letters.personal(person),
                survey_digest=links.digest(links.survey_token(number)),
                opt_out_digest=links.digest(links.opt_out_token(number)),
                state="invited",
                created_at=at,
                sent_at=at,
                closes_at=at + timedelta(days=30),
            )
        )
    return Invitation.objects.bulk_create(rows, batch_size=BLOCK)
