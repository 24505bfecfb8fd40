"""Plain functions that make rows for tests; every field can be given by name."""

import itertools
import uuid
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.test import Client as Browser

from bank import keys
from bank.models import Role, Team, User
from clients.models import Case, Client, Consent, Contact, Facility, Touchpoint
from surveys import campaigns, links
from surveys.models import (
    Answer,
    Campaign,
    Delivery,
    Invitation,
    Question,
    Questionnaire,
    Response,
    Version,
)

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # Tuesday 10:00 in Shanghai
_count = itertools.count(1)


def make_team(code: str = "", **fields: Any) -> Team:
    code = code or f"T{next(_count)}"
    return Team.objects.create(**{"code": code, "name_zh": f"{code} 部", "name_en": code} | fields)


def make_user(username: str, role: str, team: Team | None = None, **fields: Any) -> User:
    return User.objects.create_user(
        **{
            "username": username,
            "password": "a long password 1",
            "role": role,
            "team": team,
            "is_staff": role == Role.ADMINISTRATOR,
            "name_zh": f"{username} 员工",
            "name_en": username.title(),
        }
        | fields
    )


def make_caller(*scopes: str, team: Team | None = None) -> Browser:
    """A machine that shows a key of its own with every call."""
    _key, secret = keys.make("core", scopes=scopes or ("read",), team=team, at=NOW, by=None)
    return Browser(headers={"Authorization": f"Bearer {secret}"})


def make_visitor(user: User | None) -> Browser:
    """A browser in which this person is signed in; without one, a stranger's."""
    browser = Browser()
    if user is not None:
        browser.force_login(user)
    return browser


def make_staff() -> SimpleNamespace:
    """Two teams under one branch, and one person of each role."""
    branch = make_team("BR")
    east, west = make_team("EAST", parent=branch), make_team("WEST", parent=branch)
    return SimpleNamespace(
        branch=branch,
        east=east,
        west=west,
        lan=make_user("lan", Role.RELATIONSHIP_MANAGER, east),
        bo=make_user("bo", Role.RELATIONSHIP_MANAGER, east),
        chen=make_user("chen", Role.RELATIONSHIP_MANAGER, west),
        mu=make_user("mu", Role.SUPERVISOR, east),
        qiu=make_user("qiu", Role.AUDITOR),
        admin=make_user("admin", Role.ADMINISTRATOR),
    )


def make_client(code: str = "", **fields: Any) -> Client:
    code = code or f"C{next(_count):05d}"
    return Client.objects.create(
        **{"code": code, "name_zh": f"{code} 有限公司", "name_en": f"{code} Co., Ltd."} | fields
    )


def make_contact(client: Client, *, consent: str = "yes", **fields: Any) -> Contact:
    number = next(_count)
    contact = Contact.objects.create(
        **{
            "external_id": f"P{number:05d}",
            "client": client,
            "name": f"联系人 {number}",
            "email": f"p{number}@client-{client.pk}.example",
            "buying_role": "user",
        }
        | fields
    )
    if consent:
        Consent.objects.create(
            contact=contact,
            purpose="survey",
            state=consent,
            source="import",
            at=NOW - timedelta(days=400),
        )
    return contact


def make_case(client: Client, **fields: Any) -> Case:
    return Case.objects.create(
        **{
            "number": f"L-{next(_count):05d}",
            "client": client,
            "name": "流动资金贷款",
            "opened_on": date(2026, 9, 1),
        }
        | fields
    )


SATISFACTION = {
    str(value): {"zh": zh, "en": en}
    for value, zh, en in (
        (1, "非常不满意", "Very dissatisfied"),
        (2, "不满意", "Dissatisfied"),
        (3, "一般", "Neither satisfied nor dissatisfied"),
        (4, "满意", "Satisfied"),
        (5, "非常满意", "Very satisfied"),
    )
} | {"na": {"zh": "未涉及/不了解", "en": "Not applicable or don't know"}}
LOW = {
    "any": [{"item": "nps", "op": "lte", "value": 6}, {"item": "csat", "op": "lte", "value": 2}]
}


def make_questions(version: Version) -> list[Question]:
    """Score, reason, satisfaction, and a call-back that only a low score is asked."""
    rows: list[dict[str, Any]] = [
        {
            "key": "nps",
            "type": "nps",
            "required": True,
            "lo": 0,
            "hi": 10,
            "labels": {
                "0": {"zh": "完全不可能", "en": "Not at all likely"},
                "10": {"zh": "非常可能", "en": "Extremely likely"},
            },
            "text_zh": "您会推荐{{bank_name}}吗？",
            "text_en": "Would you recommend {{bank_name}}?",
        },
        {
            "key": "reason",
            "type": "text",
            "max_length": 1000,
            "text_zh": "主要原因是什么？",
            "text_en": "What is the main reason?",
            "hint_zh": "请勿填写账号",
            "hint_en": "No account numbers please",
        },
        {
            "key": "csat",
            "type": "csat",
            "required": True,
            "lo": 1,
            "hi": 5,
            "na_allowed": True,
            "labels": SATISFACTION,
            "dimension": "response_speed",
            "csat_core": True,
            "text_zh": "对回应速度满意吗？",
            "text_en": "How satisfied are you with our speed?",
        },
        {
            "key": "callback",
            "type": "callback",
            "show_if": LOW,
            "options": [
                {"value": "yes", "zh": "希望", "en": "Yes"},
                {"value": "no", "zh": "不需要", "en": "No, thank you"},
            ],
            "text_zh": "需要我们联系您吗？",
            "text_en": "Shall we contact you?",
        },
    ]
    return Question.objects.bulk_create(
        Question(version=version, position=position, **row)
        for position, row in enumerate(rows, start=1)
    )


def make_version(**fields: Any) -> Version:
    number = next(_count)
    kind = fields.pop("kind", "relational")
    line = fields.pop("questionnaire", None) or Questionnaire.objects.create(
        key=f"line_{number}", kind=kind, title_zh=f"问卷 {number}", title_en=f"Survey {number}"
    )
    variables = [
        {
            "name": "bank_name",
            "use": "text",
            "required": True,
            "fallback_zh": "",
            "fallback_en": "",
        },
        {
            "name": "contact_name",
            "use": "text",
            "required": False,
            "fallback_zh": "尊敬的客户",
            "fallback_en": "client",
        },
    ]
    version = Version.objects.create(
        **{
            "questionnaire": line,
            "number": 1,
            "attribution": "relationship_team",
            "intro_zh": "{{contact_name}}，您好。",
            "intro_en": "Dear {{contact_name}},",
            "variables": variables,
            "published_at": NOW - timedelta(days=30),
        }
        | fields
    )
    make_questions(version)
    return version


def make_campaign(**fields: Any) -> Campaign:
    version = fields.pop("version", None) or make_version()
    return Campaign.objects.create(
        **{
            "name": f"活动 {next(_count)}",
            "questionnaire": version.questionnaire,
            "version": version,
            "status": "collecting",
            "created_at": NOW - timedelta(days=3),
            "closes_at": NOW + timedelta(days=14),
        }
        | fields
    )


def make_invitation(contact: Contact | None = None, **fields: Any) -> Invitation:
    contact = contact or make_contact(make_client())
    number = fields.pop("uuid", None) or uuid.uuid4()
    return Invitation.objects.create(
        **{
            "uuid": number,
            "contact": contact,
            "client": contact.client,
            "version": fields.get("version") or make_version(),
            "language": "zh",
            "variables": {
                "bank_name": {"zh": "云汀银行", "en": "Yunting Bank"},
                "contact_name": {"zh": "程女士", "en": "Ms Cheng"},
            },
            "survey_digest": links.digest(links.survey_token(number)),
            "opt_out_digest": links.digest(links.opt_out_token(number)),
            "state": "invited",
            "created_at": NOW - timedelta(days=2),
            "sent_at": NOW - timedelta(days=1),
            "closes_at": NOW + timedelta(days=14),
        }
        | fields
    )


def make_response(
    invitation: Invitation | None = None, answers: dict[str, Any] | None = None, **fields: Any
) -> Response:
    """A response; `answers` maps question keys to a number, "na", a text or a list."""
    invitation = invitation or make_invitation()
    response = Response.objects.create(
        **{
            "response_id": f"R-{next(_count)}",
            "invitation": invitation,
            "client": invitation.client,
            "contact": invitation.contact,
            "version": invitation.version,
            "language": "zh",
            "submitted_at": NOW,
        }
        | fields
    )
    for key, value in (answers or {"nps": 9, "csat": 4}).items():
        question = response.version.questions.get(key=key)
        Answer.objects.create(response=response, question=question, **_answer(question, value))
    return response


def _answer(question: Question, value: Any) -> dict[str, Any]:
    if value == "na":
        return {"na": True}
    if question.type == "text":
        return {"text": value}
    if question.lo is None:
        return {"choices": value if isinstance(value, list) else [value]}
    return {"value": value}


def make_scored_version(**fields: Any) -> Version:
    """A published version with the recommend question and the three core dimensions of CSAT."""
    number = next(_count)
    kind = fields.pop("kind", "relational")
    line = fields.pop("questionnaire", None) or Questionnaire.objects.create(
        key=f"scored_{number}", kind=kind, title_zh=f"评分 {number}", title_en=f"Scores {number}"
    )
    version = Version.objects.create(
        **{
            "questionnaire": line,
            "number": 1,
            "attribution": "relationship_team",
            "published_at": NOW - timedelta(days=900),
        }
        | fields
    )
    scales = [("nps", "nps", "recommend", 0, 10)] + [
        (key, "csat", dimension, 1, 5)
        for key, dimension in (
            ("speed", "response_speed"),
            ("efficiency", "processing_efficiency"),
            ("attitude", "service_attitude"),
        )
    ]
    Question.objects.bulk_create(
        Question(
            version=version,
            position=position,
            key=key,
            type=kind_,
            dimension=dimension,
            csat_core=kind_ == "csat",
            lo=lo,
            hi=hi,
            na_allowed=True,
            text_zh=key,
            text_en=key,
        )
        for position, (key, kind_, dimension, lo, hi) in enumerate(scales, start=1)
    )
    return version


def make_scores(
    version: Version, client: Client, answers: dict[str, Any], **fields: Any
) -> Response:
    """A response without invitation, such as an imported one."""
    response = Response.objects.create(
        **{
            "response_id": f"R-{next(_count)}",
            "client": client,
            "version": version,
            "language": "zh",
            "submitted_at": NOW - timedelta(hours=1),
        }
        | fields
    )
    questions = {question.key: question for question in version.questions.all()}
    Answer.objects.bulk_create(
        Answer(response=response, question=questions[key], **_answer(questions[key], value))
        for key, value in answers.items()
    )
    return response


MAIL_ZH = (
    "{{contact_name}}，您好：\n\n感谢{{client_name}}与我们的合作。\n\n"
    "{{close_date}}前有效：\n{{survey_link}}\n\n{{branch_name}} {{rm_name}}\n\n"
    "您收到本邮件，是因为您是{{client_name}}在{{bank_name}}登记的联系人。\n"
    "不再接收调查邮件：{{opt_out_link}}\n隐私说明：{{privacy_link}}\n"
    "{{bank_name}} {{bank_address}} {{hotline}}"
)
MAIL_EN = (
    "Dear {{contact_name}},\n\nThank you for working with us, {{client_name}}.\n\n"
    "Open until {{close_date}}:\n{{survey_link}}\n\n{{branch_name}}, {{rm_name}}\n\n"
    "You receive this as a contact of {{client_name}} at {{bank_name}}.\n"
    "Stop survey e-mails: {{opt_out_link}}\nPrivacy notice: {{privacy_link}}\n"
    "{{bank_name}}, {{bank_address}}, {{hotline}}"
)
FALLBACKS = {
    "contact_name": ("尊敬的客户", "client"),
    "client_name": ("贵公司", "your company"),
    "branch_name": ("客户服务团队", "Client service team"),
    "rm_name": ("您的客户经理", "your relationship manager"),
}


def make_mailed_version(**fields: Any) -> Version:
    """A published version with a mail in both languages and the variables it uses."""
    needed = ("bank_name", "bank_address", "hotline", "close_date", "survey_link")
    needed += ("opt_out_link", "privacy_link")
    variables = [
        {"name": name, "use": "text", "required": True, "fallback_zh": "", "fallback_en": ""}
        for name in needed
    ] + [
        {"name": name, "use": "text", "required": False, "fallback_zh": zh, "fallback_en": en}
        for name, (zh, en) in FALLBACKS.items()
    ]
    mail = {
        "subject_zh": "想听听{{client_name}}的意见",
        "subject_en": "Your view of {{bank_name}}",
        "preheader_zh": "{{close_date}}前可随时打开",
        "preheader_en": "Open until {{close_date}}",
        "body_zh": MAIL_ZH,
        "body_en": MAIL_EN,
    }
    return make_version(
        **{"variables": variables, "emails": {"invitation": mail, "reminder": mail}} | fields
    )


def make_draft(version: Version | None = None, **fields: Any) -> Campaign:
    """A draft to every client, sent at once and at any hour."""
    version = version or make_mailed_version()
    return campaigns.plan(
        **{
            "name": f"活动 {next(_count)}",
            "questionnaire": version.questionnaire,
            "audience": {"segment": "corporate"},
            "send_at": None,
            "closes_at": NOW + timedelta(days=14),
            "send_window": False,
            "at": NOW,
            "by": None,
        }
        | fields
    )


def make_full_version(**fields: Any) -> Version:
    """A scored version that also asks for ease, trust and the will to renew."""
    version = make_scored_version(**fields)
    Question.objects.bulk_create(
        Question(
            version=version,
            position=position,
            key=key,
            type=type_,
            dimension=dimension,
            lo=1,
            hi=hi,
            na_allowed=True,
            text_zh=key,
            text_en=key,
        )
        for position, (key, type_, dimension, hi) in enumerate(
            (
                ("ces", "ces", "ease", 7),
                ("trust", "rating", "trust", 7),
                ("renewal", "rating", "renewal_intention", 5),
            ),
            start=5,
        )
    )
    return version


def make_facility(client: Client, **fields: Any) -> Facility:
    return Facility.objects.create(
        **{"number": f"F-{next(_count)}", "client": client, "as_of": NOW.date()} | fields
    )


def make_touchpoint(client: Client, **fields: Any) -> Touchpoint:
    """A login an hour ago, unless said otherwise."""
    return Touchpoint.objects.create(
        **{
            "event_id": f"E-{next(_count)}",
            "client": client,
            "kind": "login",
            "at": NOW - timedelta(hours=1),
        }
        | fields
    )


def make_delivery(invitation: Invitation | None = None, **fields: Any) -> Delivery:
    """A mail that was sent yesterday."""
    invitation = invitation or make_invitation()
    return Delivery.objects.create(
        **{
            "invitation": invitation,
            "state": "sent",
            "message_id": f"<{next(_count)}@bank.example>",
            "next_try_at": NOW - timedelta(days=1),
            "sent_at": NOW - timedelta(days=1),
        }
        | fields
    )
