"""Dictionaries of everything a file may name, each read once and only when it is needed."""

from functools import cached_property

from bank.models import Team, User
from clients import cases
from clients.models import Case, Client, Contact, Industry, Product, Province


class Lookup:
    """Codes to row numbers; one query per dictionary, whatever the length of the file."""

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
        return dict(Client.objects.values_list("code", "pk"))

    @cached_property
    def credit_codes(self) -> dict[str, str]:
        """Which client has which unified social credit code."""
        rows = Client.objects.filter(uscc__isnull=False)
        return {uscc: code for uscc, code in rows.values_list("uscc", "code") if uscc}

    @cached_property
    def contacts(self) -> dict[str, tuple[int, int]]:
        """Contacts by number: their own row and that of their client."""
        rows = Contact.objects.values_list("external_id", "pk", "client")
        return {number: (pk, client) for number, pk, client in rows}

    @cached_property
    def case_numbers(self) -> dict[str, tuple[int, str]]:
        """Cases by number: their row and their kind."""
        rows = Case.objects.values_list("number", "pk", "kind")
        return {number: (pk, kind) for number, pk, kind in rows}

    @cached_property
    def graph(self) -> cases.Graph:
        """Stages, transitions and milestones."""
        return cases.graph()
