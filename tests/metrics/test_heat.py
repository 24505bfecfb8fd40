"""The heat map: stages by lines of business from the store, after the gate."""

import pytest

from clients.models import Stage
from metrics import queries
from metrics.models import Measurement
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def make_stage(code, position):
    return Stage.objects.create(
        case_kind="loan", code=code, position=position, name_zh=code, name_en=code
    )


def make_part(part, n=20, *, gate="", **fields):
    return Measurement.objects.create(
        **{
            "metric": "csat",
            "population": "transactional",
            "scope": "bank",
            "slice": part,
            "period": "rolling12m",
            "value": 80.0,
            "n": n,
            "clients": n,
            "method": "t",
            "version": 1,
            "parameter_set": "ps-1",
            "zone": "Asia/Shanghai",
            "as_of": NOW,
            "gate": gate,
        }
        | fields
    )


def test_stages_come_in_the_order_of_a_case_and_lines_across():
    make_stage("approval", 2)
    make_stage("enquiry", 1)
    make_stage("settled", 3)
    make_part("stage=approval")
    make_part("stage=enquiry", 9)
    make_part("segment=corporate&stage=approval", 4, gate="MIN_RESPONSES")
    make_part("segment=project_finance")
    found = queries.heat(period="rolling12m")
    assert found.lines == ["corporate", "project_finance"]
    assert [(row.stage, row.total.n) for row in found.rows] == [("enquiry", 9), ("approval", 20)]
    cells = [[(cell.n, cell.value, cell.gate) for cell in row.cells] for row in found.rows]
    empty = (0, None, "NO_DATA")
    assert cells == [[empty, empty], [(4, None, "MIN_RESPONSES"), empty]]
    assert [total.value for total in found.totals] == [None, 80.0]


@pytest.mark.parametrize("stages", [1, 3])
def test_heat_map_takes_two_queries_for_any_number_of_stages(stages, django_assert_num_queries):
    for number in range(stages):
        make_stage(f"stage{number}", number)
        make_part(f"stage=stage{number}")
    with django_assert_num_queries(2):
        assert len(queries.heat(period="rolling12m").rows) == stages


def test_other_units_and_periods_stay_out():
    make_stage("approval", 1)
    make_part("stage=approval", scope="team", scope_id=7)
    make_part("stage=approval", period="2026Q3")
    assert queries.heat(period="rolling12m").rows == []
    assert [row.total.n for row in queries.heat("team", 7, period="rolling12m").rows] == [20]
    assert list(
        queries.parts("team", 7, period="rolling12m", metric="csat", population="transactional")
    ) == ["stage=approval"]
