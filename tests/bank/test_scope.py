from datetime import timedelta

import pytest
from django.utils import timezone

from bank import scope
from bank.models import ApiKey, Deputy, Role
from clients.models import Case, Client, Contact
from tests.factories import NOW, make_case, make_client, make_contact, make_team, make_user

HOUR = timedelta(hours=1)


@pytest.fixture
def bank(staff):
    staff.mine = make_client("MINE", manager=staff.lan, team=staff.east)
    staff.bos = make_client("BOS", manager=staff.bo, team=staff.east)
    staff.chens = make_client("CHENS", manager=staff.chen, team=staff.west)
    staff.nobodys = make_client("NOBODYS", team=staff.branch)
    return staff


def codes(viewer) -> set[str]:
    return set(Client.objects.visible_to(viewer).values_list("code", flat=True))


def key(**fields) -> ApiKey:
    return ApiKey.objects.create(
        **{"name": "k", "prefix": f"k{ApiKey.objects.count()}", "digest": "", "created_at": NOW}
        | fields
    )


def stand_in(bank, starts, ends):
    now = timezone.now()
    Deputy.objects.create(
        principal=bank.lan, deputy=bank.chen, starts_at=now + starts, ends_at=now + ends
    )


def test_manager_sees_own_clients_and_no_colleagues(bank):
    assert codes(bank.lan) == {"MINE"}
    assert codes(bank.bo) == {"BOS"}
    assert codes(bank.chen) == {"CHENS"}


@pytest.mark.parametrize(
    ("starts", "ends", "seen"),
    [
        (-HOUR, HOUR, {"CHENS", "MINE"}),
        (HOUR, 2 * HOUR, {"CHENS"}),
        (-2 * HOUR, -HOUR, {"CHENS"}),
    ],
    ids=["during", "before", "after"],
)
def test_deputy_sees_the_principals_clients_only_while_standing_in(bank, starts, ends, seen):
    stand_in(bank, starts, ends)
    assert codes(bank.chen) == seen


def test_deputy_gives_nothing_to_the_principal(bank):
    stand_in(bank, -HOUR, HOUR)
    assert codes(bank.lan) == {"MINE"}


def test_two_overlapping_deputies_show_a_client_once(bank):
    stand_in(bank, -HOUR, HOUR)
    stand_in(bank, -2 * HOUR, 2 * HOUR)
    assert Client.objects.visible_to(bank.chen).count() == 2


def test_deputy_of_a_deputy_sees_nothing_more(bank):
    stand_in(bank, -HOUR, HOUR)
    now = timezone.now()
    Deputy.objects.create(
        principal=bank.chen, deputy=bank.bo, starts_at=now - HOUR, ends_at=now + HOUR
    )
    assert codes(bank.bo) == {"BOS", "CHENS"}


def test_supervisor_sees_the_team_and_not_the_next_one(bank):
    assert codes(bank.mu) == {"MINE", "BOS"}


def test_supervisor_of_a_branch_sees_every_team_below(bank):
    below = bank.east
    for level in range(4):
        below = make_team(f"L{level}", parent=below)
    make_client("DEEP", team=below)
    head = make_user("head", Role.SUPERVISOR, bank.branch)
    assert codes(head) == {"MINE", "BOS", "CHENS", "NOBODYS", "DEEP"}
    assert codes(bank.mu) == {"MINE", "BOS", "DEEP"}


def test_client_without_a_team_is_nobodys_but_the_overseers(bank):
    make_client("LOST")
    head = make_user("head", Role.SUPERVISOR, bank.branch)
    assert "LOST" not in codes(head) | codes(bank.lan)
    assert "LOST" in codes(bank.qiu) & codes(bank.admin)


def test_auditor_administrator_and_superuser_see_all(bank):
    root = make_user("root", "", is_superuser=True)
    everything = {"MINE", "BOS", "CHENS", "NOBODYS"}
    assert [codes(who) for who in (bank.qiu, bank.admin, root)] == [everything] * 3


def test_user_without_a_role_sees_nothing(bank):
    nobody = make_user("nobody", "", bank.east)
    Client.objects.filter(code="MINE").update(manager=nobody)
    assert codes(nobody) == set()


def test_supervisor_who_manages_a_client_elsewhere_sees_only_the_team(bank):
    make_client("FAR", manager=bank.mu, team=bank.west)
    assert codes(bank.mu) == {"MINE", "BOS"}


def test_key_without_a_team_sees_all_and_with_one_the_subtree(bank):
    assert codes(key()) == {"MINE", "BOS", "CHENS", "NOBODYS"}
    assert codes(key(team=bank.west)) == {"CHENS"}
    assert codes(key(team=bank.branch)) == {"MINE", "BOS", "CHENS", "NOBODYS"}


def test_moving_a_client_acts_at_the_next_look(bank):
    Client.objects.filter(code="MINE").update(manager=bank.chen, team=bank.west)
    assert (codes(bank.lan), codes(bank.mu)) == (set(), {"BOS"})


def test_losing_the_role_acts_at_the_next_look(bank):
    bank.lan.role = ""
    bank.lan.save()
    assert codes(bank.lan) == set()


def test_scope_reaches_what_hangs_on_a_client(bank):
    mine, other = make_contact(bank.mine), make_contact(bank.chens)
    case, far = make_case(bank.mine), make_case(bank.chens)
    assert list(Contact.objects.visible_to(bank.lan)) == [mine]
    assert list(Case.objects.visible_to(bank.lan)) == [case]
    assert list(Contact.objects.visible_to(bank.chen)) == [other]
    assert list(Case.objects.visible_to(bank.mu)) == [case]
    assert far not in Case.objects.visible_to(key(team=bank.east))


def test_scope_is_one_query(bank, django_assert_num_queries):
    stand_in(bank, -HOUR, HOUR)
    for viewer in (bank.lan, bank.chen, bank.mu, bank.qiu, key(team=bank.branch)):
        with django_assert_num_queries(1):
            list(Client.objects.visible_to(viewer))


def test_teams_of_follow_the_same_tree(bank):
    def teams(viewer) -> set[str]:
        return set(scope.teams_of(viewer).values_list("code", flat=True))

    assert teams(bank.lan) == set()
    assert teams(bank.mu) == {"EAST"}
    assert teams(make_user("head", Role.SUPERVISOR, bank.branch)) == {"BR", "EAST", "WEST"}
    assert teams(bank.qiu) == {"BR", "EAST", "WEST"}
    assert teams(key(team=bank.west)) == {"WEST"}
    assert teams(key()) == {"BR", "EAST", "WEST"}
