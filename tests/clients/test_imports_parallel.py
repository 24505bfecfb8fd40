"""The same file from two sides at once: the second finds that everything is there already."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from clients.imports import engine, reading
from clients.imports.client_rows import ClientKind
from clients.models import Client
from tests.factories import NOW

TEXT = "code,name_zh\n" + "".join(f"C{n},云石 {n}\n" for n in range(200))


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer: nothing runs side by side"
)
def test_the_second_of_two_equal_imports_changes_nothing():
    start = Barrier(2)

    def run():
        try:
            table = reading.parse(TEXT.encode(), "a.csv")
            start.wait()
            return engine.run(ClientKind(), table, apply=True, at=NOW).counts()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        found = [job.result() for job in [pool.submit(run), pool.submit(run)]]
    assert sorted((one["new"], one["unchanged"]) for one in found) == [(0, 200), (200, 0)]
    assert Client.objects.count() == 200
