"""The wave before the first one, imported with the wording and the scale of its time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bank import workdays
from cxportal.demo.asks import RELATIONAL, ROLES, waves
from cxportal.demo.firms import Firm, Person
from cxportal.demo.mailing import answer
from cxportal.demo.speakers import RATES
from cxportal.demo.streams import Plan, instant, office_time
from cxportal.demo.writing import pour, save
from surveys.models import Answer, Question, Questionnaire, Response, Version

NUMBER = 0
# By this mark the version is known as the demonstration's own.
SOURCE = "demo bank"
CHANNEL = "import"
LO, HI = 1, 10
_ITEMS = [
    ("recommend", "recommend", "您向同行推荐我行的可能性有多大？（1 至 10 分）",
     "How likely are you to recommend us to a business partner? (1 to 10)"),
    ("old_response", "response_speed", "您对我行的响应速度有多满意？（1 至 10 分）",
     "How satisfied are you with how fast we respond? (1 to 10)"),
    ("old_efficiency", "processing_efficiency", "您对我行的办理效率有多满意？（1 至 10 分）",
     "How satisfied are you with how fast we get things done? (1 to 10)"),
    ("old_attitude", "service_attitude", "您对我行的服务态度有多满意？（1 至 10 分）",
     "How satisfied are you with our manner of service? (1 to 10)"),
]  # fmt: skip


@dataclass
class OldReply:
    """One answer of that wave; its values go from 1 to 10."""

    firm: Firm
    person: Person
    at: datetime
    values: dict[str, int]


def start(plan: Plan) -> date:
    """Half a year before the first wave of the present wording."""
    first = waves(plan)[0][1]
    month, year = (4, first.year) if first.month == 10 else (10, first.year - 1)
    return date(year, month, 15)


def make_replies(plan: Plan, firms: Sequence[Firm]) -> list[OldReply]:
    """What one contact of each role said then, where somebody answered."""
    calendar, begin, found = workdays.calendar(), start(plan), []
    for firm in firms:
        lean = plan.stream("old-client", firm.ordinal).gauss(0, 1.1)
        for role in ROLES:
            there = [p for p in firm.present(begin) if p.row.buying_role == role]
            for person in there[:1]:
                dice = plan.stream("old", person.row.external_id)
                if person.consent != "yes" or dice.random() >= RATES[role]:
                    continue
                day = calendar.add(begin, dice.randrange(1, 12))
                values = {
                    item[0]: min(max(round(8.4 + lean + dice.gauss(0, 1.5)), LO), HI)
                    for item in _ITEMS
                }
                found.append(OldReply(firm, person, office_time(dice, day), values))
    return found


def write(plan: Plan, replies: Sequence[OldReply]) -> None:
    """The frozen version 0 with its questions, and the answers as an import brings them."""
    version = _version(plan)
    asked = {question.key: question for question in version.questions.all()}
    rows = [
        Response(
            response_id=f"OLD-{reply.person.row.external_id}",
            client=reply.firm.row,
            contact=reply.person.row,
            version=version,
            language=reply.person.row.language,
            channel=CHANNEL,
            submitted_at=reply.at,
            is_demo=True,
        )
        for reply in replies
    ]
    save(Response, rows)
    pour(
        Answer,
        (
            answer(row, asked[key], value)
            for row, reply in zip(rows, replies, strict=True)
            for key, value in reply.values.items()
        ),
    )


def _version(plan: Plan) -> Version:
    """That wording, published before the wave and never asked again."""
    line = Questionnaire.objects.get(key=RELATIONAL)
    version = Version.objects.create(
        questionnaire=line,
        number=NUMBER,
        attribution=Version.Attribution.RELATIONSHIP_TEAM,
        minutes=2,
        source_digest=SOURCE,
        published_at=instant(start(plan) - timedelta(days=14), time(9, 0)),
    )
    save(
        Question,
        [
            Question(
                version=version,
                position=position,
                key=key,
                type=Question.Type.RATING,
                dimension=dimension,
                required=key == "recommend",
                text_zh=text_zh,
                text_en=text_en,
                lo=LO,
                hi=HI,
            )
            for position, (key, dimension, text_zh, text_en) in enumerate(_ITEMS, start=1)
        ],
    )
    return version
