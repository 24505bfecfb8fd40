"""The admin of figures: to look at only, through the gate, in a fixed number of queries."""

import pytest

from bank import reference
from clients.models import Client
from metrics import recompute
from metrics.models import ClientState, Measurement, ParameterSet
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def measured(staff, client):
    reference.load(at=factories.NOW)
    version = factories.make_scored_version()
    for score in (10, 3, 8):
        company = factories.make_client(team=staff.east, manager=staff.lan)
        factories.make_scores(version, company, {"nps": score, "speed": 5})
    recompute.refresh_stale(at=factories.NOW)
    client.force_login(staff.admin)
    return client


@pytest.mark.parametrize("name", ["measurement", "parameterset", "clientstate"])
def test_list_opens_and_offers_no_change(measured, name):
    page = measured.get(f"/admin/metrics/{name}/")
    assert page.status_code == 200
    assert measured.get(f"/admin/metrics/{name}/add/").status_code == 403
    assert f"/admin/metrics/{name}/add/" not in page.content.decode()


@pytest.mark.parametrize("model", [Measurement, ParameterSet, ClientState])
def test_one_row_opens_and_a_post_changes_nothing(measured, model):
    row = model.objects.order_by("id").first()
    address = f"/admin/metrics/{model._meta.model_name}/{row.pk}/change/"
    assert measured.get(address).status_code == 200
    assert measured.post(address, {"value": "99"}).status_code == 403
    assert measured.post(address.replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


def test_withheld_figure_shows_neither_value_nor_counts(measured):
    row = Measurement.objects.get(
        scope="bank", metric="nps_respondent", period="rolling12m", slice=""
    )
    assert row.gate == "MIN_CLIENTS MIN_RESPONSES"
    page = measured.get(f"/admin/metrics/measurement/{row.pk}/change/").content.decode()
    assert "n = 3" in page
    assert "counts" not in page
    assert "promoters" not in page


def test_measurements_are_found_by_the_code_of_a_client(measured):
    code = Client.objects.order_by("id").first().code
    found = measured.get("/admin/metrics/measurement/", {"q": code}).context["cl"]
    assert {row.unit_code for row in found.result_list} == {code}
    states = measured.get("/admin/metrics/clientstate/", {"q": code}).context["cl"]
    assert [row.code for row in states.result_list] == [code]


def test_list_of_figures_takes_the_same_queries_whatever_its_length(
    measured, django_assert_num_queries
):
    with django_assert_num_queries(9):
        measured.get("/admin/metrics/measurement/?scope__exact=bank&metric=nps")
    with django_assert_num_queries(9):
        measured.get("/admin/metrics/measurement/?scope__exact=client")
