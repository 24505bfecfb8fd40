"""Questionnaires, campaigns, invitations and responses over the API."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from bank.models import AuditEntry
from surveys import answering, campaigns
from surveys.models import Campaign, Invitation, Questionnaire
from tests import factories
from tests.factories import NOW, make_caller, make_client, make_contact, make_visitor

API = "/api/v1/"
LATER = "2999-12-01T10:00:00+08:00"


@pytest.fixture(autouse=True)
def empty_cache(db):
    cache.clear()


@pytest.fixture
def machine():
    return make_caller("read", "manage")


@pytest.fixture
def line():
    return factories.make_mailed_version().questionnaire


def post(caller, path, **body):
    return caller.post(f"{API}campaigns/{path}", body, content_type="application/json")


def draft(caller, line, **body):
    fields = {
        "name": "秋季",
        "questionnaire": line.key,
        "audience": {"segment": "corporate"},
        "closes_at": LATER,
        "send_window": False,
    }
    return post(caller, "", **fields | body)


def test_questionnaires_are_listed_with_the_version_that_would_be_asked(machine):
    version = factories.make_version()
    factories.make_version(questionnaire=version.questionnaire, number=2)
    Questionnaire.objects.create(key="zz", kind="pulse", title_zh="脉冲", title_en="Pulse")
    line = version.questionnaire
    found = machine.get(f"{API}questionnaires/").json()["results"]
    assert found[0] == {
        "key": line.key,
        "kind": "relational",
        "title_zh": line.title_zh,
        "title_en": line.title_en,
        "is_active": True,
        "version": 2,
    }
    assert (found[1]["key"], found[1]["version"]) == ("zz", None)
    assert machine.get(f"{API}questionnaires/?kind=pulse").json()["count"] == 1


def test_one_questionnaire_shows_its_questions(machine):
    key = factories.make_version().questionnaire.key
    found = machine.get(f"{API}questionnaires/{key}/").json()
    assert [row["key"] for row in found["questions"]] == ["nps", "reason", "csat", "callback"]
    nps = found["questions"][0]
    assert (nps["type"], nps["lo"], nps["hi"], nps["required"]) == ("nps", 0, 10, True)
    assert (found["attribution"], found["minutes"]) == ("relationship_team", 1)
    Questionnaire.objects.create(key="zz", kind="pulse", title_zh="脉冲", title_en="Pulse")
    empty = machine.get(f"{API}questionnaires/zz/").json()
    assert (empty["version"], empty["questions"], empty["minutes"]) == (None, [], None)
    assert machine.get(f"{API}questionnaires/nothing/").status_code == 404


def test_campaign_is_planned_judged_launched_paused_resumed_and_stopped(machine, line):
    make_contact(make_client("C-1"))
    make_contact(make_client("C-2"), consent="no")
    made = draft(machine, line)
    number = made.json()["id"]
    assert made.status_code == 201
    assert made.json() == {
        "id": number,
        "name": "秋季",
        "questionnaire": line.key,
        "status": "draft",
        "send_at": None,
        "closes_at": LATER,
    }
    judged = machine.get(f"{API}campaigns/{number}/preflight/").json()
    assert (judged["blockers"], judged["selected"], judged["eligible"]) == ([], 2, 1)
    assert judged["excluded"] == {"no_consent": 1}
    assert all(set(note) == {"code", "text"} for note in judged["warnings"])
    steps = ("launch", "launch", "pause", "resume", "stop", "stop")
    found = [post(machine, f"{number}/{step}/") for step in steps]
    assert [(answer.status_code, answer.json()["status"]) for answer in found] == [
        (200, "sending"),
        (200, "sending"),
        (200, "paused"),
        (200, "sending"),
        (200, "stopped"),
        (200, "stopped"),
    ]
    assert machine.get(f"{API}campaigns/{number}/funnel/").json() == {
        "planned": 2,
        "waiting": 0,
        "sent": 0,
        "failed": 0,
        "unknown": 0,
        "skipped": {"cancelled": 1, "no_consent": 1},
        "delivered": 0,
        "opened": 0,
        "started": 0,
        "completed": 0,
    }
    assert AuditEntry.objects.get(act="campaign.launch").actor_label.startswith("key:")


def test_launch_with_blockers_is_409_and_names_them(machine, line):
    number = draft(machine, line).json()["id"]
    answer = post(machine, f"{number}/launch/")
    assert answer.status_code == 409
    assert [one["code"] for one in answer.json()["blockers"]] == ["no_recipients"]
    assert (
        answer.json()["blockers"]
        == machine.get(f"{API}campaigns/{number}/preflight/").json()["blockers"]
    )
    assert Campaign.objects.get().status == "draft"


def test_act_that_does_not_fit_the_status_is_409(machine, line):
    number = draft(machine, line).json()["id"]
    for step in ("pause", "resume", "stop"):
        answer = post(machine, f"{number}/{step}/")
        assert (answer.status_code, set(answer.json())) == (409, {"detail"})


def test_choice_of_hours_is_kept_and_written_down(machine, line):
    draft(machine, line)
    draft(machine, line, send_window=True, send_at=LATER)
    assert list(Campaign.objects.order_by("pk").values_list("send_window", flat=True)) == [
        False,
        True,
    ]
    planned = AuditEntry.objects.filter(act="campaign.plan").order_by("pk")
    assert [entry.data["send_window"] for entry in planned] == [False, True]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "a\r\nBcc: x@y.example"}, "name"),
        ({"questionnaire": "nothing"}, "questionnaire"),
        ({"questionnaire": ["a"]}, "questionnaire"),
        ({"questionnaire": {"a": 1}}, "questionnaire"),
        ({"audience": []}, "audience"),
        ({"audience": None}, "audience"),
        ({"audience": {"client_codes": ["nobody"]}}, "audience"),
        ({"audience": {"client_codes": "C-1"}}, "audience"),
        ({"audience": {"client_codes": [{}]}}, "audience"),
        ({"audience": {"segment": ["corporate"]}}, "audience"),
        ({"audience": {"within": "EAST"}}, "audience"),
        ({"audience": {"manager__password": "x"}}, "audience"),
        ({"closes_at": None}, "closes_at"),
        ({"closes_at": "soon"}, "closes_at"),
        ({"send_at": 5}, "send_at"),
        ({"send_window": "perhaps"}, "send_window"),
        ({"send_window": []}, "send_window"),
        ({"status": "sending"}, "status"),
        ({"id": 7}, "id"),
        ({"created_by": 1}, "created_by"),
        ({"version": 1}, "version"),
    ],
)
def test_wrong_or_read_only_field_of_a_campaign_is_named(body, field, machine, line):
    answer = draft(machine, line, **body)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert Campaign.objects.count() == 0


@pytest.mark.parametrize("audience", [{}, {"client_codes": []}, {"segment": ""}])
def test_draft_without_audience_is_kept_but_not_launched(audience, machine, line):
    answer = draft(machine, line, audience=audience)
    assert answer.status_code == 201
    launched = post(machine, f"{answer.json()['id']}/launch/")
    codes = [blocker["code"] for blocker in launched.json()["blockers"]]
    assert (launched.status_code, codes) == (409, ["no_recipients"])


def test_act_takes_no_body(machine, line):
    number = draft(machine, line).json()["id"]
    answer = post(machine, f"{number}/launch/", force=True)
    assert (answer.status_code, list(answer.json())) == (400, ["force"])


@pytest.mark.parametrize("number", ["0", "-1", "abc", "1.0", "9" * 18, "9" * 30, "%00", "１"])
def test_number_of_no_campaign_is_404(number, machine):
    for path in ("", "funnel/", "preflight/"):
        assert machine.get(f"{API}campaigns/{number}/{path}").status_code == 404
    assert post(machine, f"{number}/launch/").status_code == 404


@pytest.mark.parametrize("name", ["invitations", "responses"])
@pytest.mark.parametrize("number", ["-1", "abc", "1.5", "9" * 19, "9" * 500, "1e400", "NaN"])
def test_filter_by_what_is_no_number_is_400(name, number, machine):
    answer = machine.get(f"{API}{name}/", {"campaign": number})
    assert (answer.status_code, list(answer.json())) == (400, ["campaign"])


def test_key_of_a_team_asks_only_its_team(staff, line):
    make_contact(make_client("E", team=staff.east))
    make_contact(make_client("W", team=staff.west))
    east, west = (make_caller("read", "manage", team=team) for team in (staff.east, staff.west))
    refused = draft(east, line, audience={"client_codes": ["W"]})
    assert (refused.status_code, b"W" in refused.content) == (400, True)
    number = draft(east, line).json()["id"]
    assert east.get(f"{API}campaigns/{number}/preflight/").json()["selected"] == 1
    assert west.get(f"{API}campaigns/{number}/").status_code == 404
    assert post(west, f"{number}/launch/").status_code == 404
    assert post(east, f"{number}/launch/").status_code == 200
    assert [one.client.code for one in Invitation.objects.all()] == ["E"]


def test_key_of_a_team_sees_its_part_of_a_wider_campaign_and_does_not_run_it(staff, machine, line):
    make_contact(make_client("E", team=staff.east))
    make_contact(make_client("W", team=staff.west))
    number = draft(machine, line).json()["id"]
    assert post(machine, f"{number}/launch/").status_code == 200
    east = make_caller("read", "manage", team=staff.east)
    assert east.get(f"{API}campaigns/{number}/funnel/").json()["planned"] == 1
    for act in ("pause", "stop"):
        assert post(east, f"{number}/{act}/").status_code == 403
    assert east.get(f"{API}campaigns/{number}/preflight/").json()["selected"] == 1
    assert machine.get(f"{API}campaigns/{number}/preflight/").json()["selected"] == 2
    assert machine.get(f"{API}campaigns/{number}/").json()["status"] == "sending"


def test_invitation_says_who_was_asked_or_why_not(machine):
    campaign = factories.make_campaign()
    contact = make_contact(make_client("C-1"), external_id="P-1")
    invitation = factories.make_invitation(
        contact, campaign=campaign, version=campaign.version, opened_at=NOW
    )
    factories.make_invitation(
        state="skipped", reason="contact_cooldown", free_on=NOW.date(), sent_at=None
    )
    found = machine.get(f"{API}invitations/").json()["results"]
    assert found[0] == {
        "uuid": str(invitation.uuid),
        "campaign": campaign.pk,
        "contact": "P-1",
        "client": "C-1",
        "state": "invited",
        "reason": "",
        "free_on": None,
        "sent_at": "2026-11-23T10:00:00+08:00",
        "opened_at": "2026-11-24T10:00:00+08:00",
        "answered_at": None,
    }
    skipped = [found[1][name] for name in ("campaign", "state", "reason", "free_on", "sent_at")]
    assert skipped == [None, "skipped", "contact_cooldown", "2026-11-24", None]

    def count(**query):
        return machine.get(f"{API}invitations/", query).json()["count"]

    assert [count(campaign=campaign.pk), count(state="skipped"), count(client="C-1")] == [1, 1, 1]
    assert count(campaign=2**63 - 1) == 0


def test_no_secret_of_a_link_leaves(machine):
    invitation = factories.make_invitation()
    body = machine.get(f"{API}invitations/").content.decode()
    assert invitation.survey_digest not in body
    assert invitation.opt_out_digest not in body


def test_response_carries_its_answers_by_question(machine):
    contact = make_contact(make_client("C-1"), external_id="P-1")
    invitation = factories.make_invitation(contact)
    answers = {"nps": 3, "reason": "太慢", "csat": "na", "callback": "yes"}
    factories.make_response(invitation, answers, response_id="R-1", channel="email")
    assert machine.get(f"{API}responses/").json()["results"] == [
        {
            "response_id": "R-1",
            "invitation": str(invitation.uuid),
            "client": "C-1",
            "contact": "P-1",
            "questionnaire": invitation.version.questionnaire.key,
            "version": 1,
            "language": "zh",
            "channel": "email",
            "submitted_at": "2026-11-24T10:00:00+08:00",
            "answers": answers,
        }
    ]


def test_responses_are_filtered_and_only_those_that_count_are_listed(machine):
    campaign = factories.make_campaign()
    invitation = factories.make_invitation(campaign=campaign, version=campaign.version)
    factories.make_response(invitation, response_id="R-1", submitted_at=NOW - timedelta(days=2))
    factories.make_response(response_id="R-2")
    factories.make_response(response_id="R-3", is_test=True)
    factories.make_response(response_id="R-4", retracted_at=NOW)

    def found(**query):
        rows = machine.get(f"{API}responses/", query).json()["results"]
        return [row["response_id"] for row in rows]

    assert found() == ["R-1", "R-2"]
    assert found(campaign=campaign.pk) == ["R-1"]
    assert found(since="2026-11-24T10:00:00+08:00") == ["R-2"]
    assert found(since="2026-11-24T02:00:01Z") == []
    assert found(since="2026-11-24T10:00:00 08:00") == ["R-2"]  # a plus that nobody encoded
    assert found(since="2026-11-24T10:00:01 08:00") == []
    assert found(since="2026-11-24") == ["R-2"]
    assert found(questionnaire=campaign.questionnaire.key) == ["R-1"]


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "9" * 100, "2026-11-24T10:00:00 8"])
def test_instant_that_cannot_be_read_is_400(since, machine):
    answer = machine.get(f"{API}responses/", {"since": since})
    assert (answer.status_code, list(answer.json())) == (400, ["since"])


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_instant_at_the_edge_of_time_is_no_fault_of_ours(since, machine):
    assert machine.get(f"{API}responses/", {"since": since}).status_code in {200, 400}


def test_promise_decides_who_reads_answers_and_whose_they_are(staff):
    client = make_client("C-1", manager=staff.lan, team=staff.east)
    for promise in ("relationship_team", "experience_team_only", "anonymous_optional"):
        version = factories.make_version(attribution=promise)
        contact = make_contact(client, external_id=promise)
        invitation = factories.make_invitation(contact, version=version)
        named = None if promise == "anonymous_optional" else contact
        factories.make_response(invitation, response_id=promise, contact=named)
    seen = {}
    callers = {name: make_visitor(getattr(staff, name)) for name in ("lan", "mu", "qiu", "admin")}
    for name, caller in (callers | {"key": make_caller()}).items():
        rows = caller.get(f"{API}responses/").json()["results"]
        seen[name] = {
            row["response_id"].split("_")[0]: (
                row["contact"] is not None,
                row["invitation"] is not None,
                row["answers"] is not None,
            )
            for row in rows
        }
    nothing, everything, words = (False,) * 3, (True,) * 3, (False, False, True)
    team = {"relationship": everything, "experience": nothing, "anonymous": words}
    whole = {"relationship": everything, "experience": everything, "anonymous": words}
    assert seen == {
        "lan": team,
        "mu": team,
        "qiu": whole,
        "admin": whole,
        "key": {"relationship": everything, "experience": nothing, "anonymous": nothing},
    }


def test_nothing_joins_a_nameless_answer_to_the_person_who_was_asked(staff):
    version = factories.make_version(attribution="anonymous_optional")
    invitation = factories.make_invitation(make_contact(make_client("C-1")), version=version)
    response = answering.submit(invitation, {"nps": 3, "csat": 2}, at=NOW, language="zh")
    browser = make_visitor(staff.admin)
    asked = browser.get(f"{API}invitations/").json()["results"][0]
    reply = browser.get(f"{API}responses/").json()["results"][0]
    assert (asked["state"], asked["answered_at"], asked["opened_at"]) == ("answered", None, None)
    assert (reply["invitation"], reply["contact"]) == (None, None)
    assert reply["response_id"] == response.response_id
    assert invitation.uuid.hex[:16] not in reply["response_id"]
    lines = browser.get(f"{API}clients/C-1/timeline/").json()["results"]
    answered = [line for line in lines if line["kind"] == "answered"]
    assert invitation.contact.name not in str(answered)


def test_timeline_tells_records_questions_and_answers_newest_first(staff):
    client = make_client("C-1")
    contact = make_contact(client, name="程女士")
    case = factories.make_case(client, number="L-1")
    case.milestones.create(external_id="M-1", code="enquiry", occurred_at=NOW - timedelta(days=90))
    factories.make_response(factories.make_invitation(contact), submitted_at=NOW)
    answer = make_visitor(staff.admin).get(
        f"{API}clients/C-1/timeline/", headers={"Accept-Language": "en"}
    )
    rows = answer.json()["results"]
    assert [(row["kind"], row["case"]) for row in rows] == [
        ("answered", None),
        ("invited", None),
        ("milestone", "L-1"),
        ("consent", None),
    ]
    assert rows[0]["detail"] == "程女士"
    assert rows[0]["at"] == "2026-11-24T10:00:00+08:00"
    assert [set(row) for row in rows] == [{"at", "kind", "title", "detail", "case"}] * 4


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize(
    "path", ["questionnaires/", "campaigns/", "campaigns/1/", "invitations/", "responses/"]
)
def test_method_that_is_not_offered_is_405(method, path):
    answer = getattr(make_caller("read", "ingest", "manage"), method)(API + path)
    assert (answer.status_code, set(answer.json())) == (405, {"detail"})


@pytest.mark.parametrize("step", ["launch", "pause", "resume", "stop"])
def test_acts_are_not_done_by_reading(step, machine, line):
    number = draft(machine, line).json()["id"]
    assert machine.get(f"{API}campaigns/{number}/{step}/").status_code == 405
    assert Campaign.objects.get().status == "draft"


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("questionnaires/", 3),
        ("campaigns/", 3),
        ("invitations/", 3),
        ("responses/", 4),
        ("clients/C-0/timeline/", 13),
    ],
)
def test_list_takes_the_same_queries_for_any_length(
    path, queries, rows, django_assert_num_queries
):
    machine = make_caller()
    client = make_client("C-0")
    for _number in range(rows):
        version = factories.make_version()
        campaign = factories.make_campaign(version=version)
        contact = make_contact(client)
        factories.make_case(client).milestones.create(
            external_id=contact.external_id, code="x", occurred_at=NOW
        )
        factories.make_response(
            factories.make_invitation(contact, campaign=campaign, version=version)
        )
    machine.get(API)
    with django_assert_num_queries(queries):
        assert machine.get(API + path).json()["count"] >= rows


def test_draft_made_in_the_admin_is_seen_by_whoever_sees_all(staff):
    campaigns.plan(
        "草稿",
        questionnaire=factories.make_mailed_version().questionnaire,
        audience={"segment": "corporate"},
        send_at=None,
        closes_at=NOW,
        send_window=True,
        at=NOW,
        by=staff.admin,
    )
    found = {
        name: make_visitor(getattr(staff, name)).get(f"{API}campaigns/").json()["count"]
        for name in ("lan", "mu", "qiu", "admin")
    }
    assert found == {"lan": 0, "mu": 0, "qiu": 1, "admin": 1}
