"""The reference files load by code, as often as one likes, and refuse what they do not know."""

import copy
import json

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from clients import reference, shapes
from clients.models import Industry, MilestoneType, Product, Province, Stage, Transition
from tests.factories import NOW


@pytest.fixture
def data():
    folder = settings.BASE_DIR / "reference"
    return {
        name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in reference.FILES
    }


def counts():
    return (
        Province.objects.count(),
        Industry.objects.count(),
        Stage.objects.filter(case_kind="loan").count(),
        Stage.objects.filter(case_kind="project_finance").count(),
        Transition.objects.count(),
        MilestoneType.objects.count(),
        Product.objects.count(),
    )


def test_load_fills_every_table_and_a_second_time_changes_nothing(db, data):
    reference.load(data, NOW)
    rows = list(Stage.objects.order_by("pk").values())
    assert counts() == (34, 97, 18, 24, 135, 25, 17)
    reference.load(data, NOW)
    assert counts() == (34, 97, 18, 24, 135, 25, 17)
    assert list(Stage.objects.order_by("pk").values()) == rows


def test_a_code_that_is_gone_becomes_inactive_and_comes_back(db, data):
    reference.load(data, NOW)
    fewer = copy.deepcopy(data)
    gone = fewer["products"]["products"].pop()
    reference.load(fewer, NOW)
    assert [row.code for row in Product.objects.filter(is_active=False)] == [gone["code"]]
    reference.load(data, NOW)
    assert not Product.objects.filter(is_active=False).exists()


def test_which_products_are_used_online_goes_by_family_and_can_be_set(db, data):
    reference.load(data, NOW)
    online = dict(Product.objects.values_list("code", "is_online"))
    assert (online["CASH-MGT"], online["WC-REV"], online["HEDGE-FX"]) == (True, True, True)
    assert (online["PF-TERM"], online["DEBT-ADVICE"]) == (False, False)
    Product.objects.filter(code="PF-TERM").update(is_online=True)
    reference.load(data, NOW)
    assert Product.objects.get(code="PF-TERM").is_online


def test_what_the_administrator_set_outlives_a_new_file(db, data):
    reference.load(data, NOW)
    Stage.objects.filter(case_kind="loan", code="approval").update(sla_working_days=9)
    newer = copy.deepcopy(data)
    for row in newer["case_model"]["loan"]["stages"]:
        row["sla_working_days"] = 4
    reference.load(newer, NOW)
    days = dict(Stage.objects.filter(case_kind="loan").values_list("code", "sla_working_days"))
    assert days["approval"] == 9
    assert days["enquiry"] == 4


def _unknown_key(data):
    data["provinces"]["provinces"][2]["capital"] = "x"


def _unknown_region(data):
    data["provinces"]["provinces"][0]["region_group"] = "moon"


def _unknown_stage(data):
    data["case_model"]["loan"]["transitions"][3]["to"] = "moon"


def _double_code(data):
    data["products"]["products"][1]["code"] = data["products"]["products"][0]["code"]


def _other_enum(data):
    data["case_model"]["enums"]["client_status"][0]["code"] = "moon"


def _stage_and_milestone(data):
    data["case_model"]["milestone_types"][0]["code"] = "approval"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_unknown_key, "provinces.json.provinces[2]: unknown key 'capital'"),
        (_unknown_region, "provinces.json.provinces[0].region_group: unknown code 'moon'"),
        (_unknown_stage, "case_model.json.loan.transitions[3].to: unknown code 'moon'"),
        (_double_code, "products.json.products[1].code: 'WC-REV' occurs twice"),
        (_other_enum, "case_model.json.enums.client_status: 'moon' differs from what the product"),
        (_stage_and_milestone, "case_model.json: 'approval' is both a stage and a milestone"),
    ],
)
def test_a_fault_stops_with_file_and_path_and_nothing_is_written(db, data, spoil, said):
    spoil(data)
    with pytest.raises(shapes.Wrong) as caught:
        reference.load(data, NOW)
    assert str(caught.value).startswith(said)
    assert counts() == (0, 0, 0, 0, 0, 0, 0)


def test_the_command_loads_and_says_so(db, capsys):
    call_command("load_reference")
    call_command("load_reference")
    assert capsys.readouterr().out.count("Reference data loaded.") == 2
    assert counts() == (34, 97, 18, 24, 135, 25, 17)


def test_the_command_names_a_broken_file(db, monkeypatch, tmp_path):
    (tmp_path / "provinces.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr("cxportal.reference.read.__defaults__", (tmp_path,))
    monkeypatch.setattr("cxportal.reference.load.__defaults__", (tmp_path,))
    with pytest.raises(CommandError, match=r"^provinces\.json"):
        call_command("load_reference")
