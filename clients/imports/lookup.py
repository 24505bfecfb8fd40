"""Dictionaries of everything a file may name, each read once and only when it is needed."""

from datetime import datetime
from functools import cached_property
from typing import Any

from bank import scope
from bank.models import ApiKey, Role, Team, User
from clients import cases
from clients.models import (
    Case,
    CaseEvent,
    Client,
    Contact,
    Facility,
    Industry,
    Product,
    Province,
)


class Lookup:
    """Codes to row numbers; one query per dictionary, whatever the length of the file.

    Whoever imports can name only what they may change; the command line, which is nobody in
    particular, can name everything.
    """

    def __init__(self, viewer: User | ApiKey | None = None, *, at: datetime | None = None) -> None:
        self.viewer, self.at = viewer, at

    @property
    def limited(self) -> bool:
        """May the importer change some clients only, or none?"""
        return self.viewer is not None and (
            not scope.sees_all(self.viewer) or _only_reads(self.viewer)
        )

    @cached_property
    def industries(self) -> dict[str, int]:
        """Divisions by code."""
        return dict(Industry.objects.filter(is_active=True).values_list("code", "pk"))

    @cached_property
    def provinces(self) -> dict[str, int]:
        """Provinces by code."""
        return dict(Province.objects.filter(is_active=True).values_list("code", "pk"))

    @cached_property
    def products(self) -> dict[str, int]:
        """Products by code."""
        return dict(Product.objects.filter(is_active=True).values_list("code", "pk"))

    @cached_property
    def teams(self) -> dict[str, int]:
        """Teams by code."""
        return dict(Team.objects.values_list("code", "pk"))

    @cached_property
    def staff(self) -> dict[str, int]:
        """Members of staff who may sign in, by user name."""
        return dict(User.objects.filter(is_active=True).values_list("username", "pk"))

    @cached_property
    def clients(self) -> dict[str, int]:
        """Clients by code."""
        return dict(self._ours(Client.objects).values_list("code", "pk"))

    @cached_property
    def client_ids(self) -> frozenset[int]:
        """The same clients by their rows."""
        return frozenset(self.clients.values())

    @cached_property
    def credit_codes(self) -> dict[str, str]:
        """Which client has which unified social credit code."""
        rows = Client.objects.filter(uscc__isnull=False)
        return {uscc: code for uscc, code in rows.values_list("uscc", "code") if uscc}

    @cached_property
    def contacts(self) -> dict[str, tuple[int, int]]:
        """Contacts by number: their own row and that of their client."""
        rows = self._ours(Contact.objects).values_list("external_id", "pk", "client")
        return {number: (pk, client) for number, pk, client in rows}

    @cached_property
    def contact_clients(self) -> dict[int, int]:
        """Which client a contact belongs to, by rows."""
        return dict(self.contacts.values())

    @cached_property
    def case_numbers(self) -> dict[str, tuple[int, str]]:
        """Cases by number: their row and their kind."""
        rows = self._ours(Case.objects).values_list("number", "pk", "kind")
        return {number: (pk, kind) for number, pk, kind in rows}

    @cached_property
    def case_ids(self) -> dict[str, int]:
        """Cases by number: their row."""
        return {number: pk for number, (pk, _kind) in self.case_numbers.items()}

    @cached_property
    def case_clients(self) -> dict[int, int]:
        """Which client a case belongs to, by rows."""
        return dict(self._ours(Case.objects).values_list("pk", "client"))

    @cached_property
    def facilities(self) -> dict[str, int]:
        """Facilities by number: their row."""
        return dict(self._ours(Facility.objects).values_list("number", "pk"))

    @cached_property
    def facility_clients(self) -> dict[int, int]:
        """Which client a facility belongs to, by rows."""
        return dict(self._ours(Facility.objects).values_list("pk", "client"))

    @cached_property
    def client_events(self) -> dict[str, str]:
        """What can happen to a client: the codes of the case model."""
        rows = CaseEvent.objects.filter(subject=CaseEvent.Subject.CLIENT, is_active=True)
        return {code: code for code in rows.values_list("code", flat=True)}

    @cached_property
    def graph(self) -> cases.Graph:
        """Stages, transitions and milestones."""
        return cases.graph()

    def _ours(self, manager: Any) -> Any:
        """The rows of clients that the importer may change."""
        if self.viewer is None:
            return manager.all()
        if _only_reads(self.viewer):
            return manager.none()
        return manager.visible_to(self.viewer)


def _only_reads(viewer: User | ApiKey) -> bool:
    return isinstance(viewer, User) and viewer.role == Role.AUDITOR
