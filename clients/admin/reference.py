"""The admin of what comes from the reference files; the bank sets a few fields of it."""

from typing import ClassVar

from django.contrib import admin

from bank.admin.base import ReadOnly
from bank.admin.coded import CodedFilter
from clients import words
from clients.admin.base import Loaded
from clients.models import CaseEvent, Industry, MilestoneType, Product, Province, Stage, Transition


@admin.register(Industry)
class IndustryAdmin(ReadOnly):
    """Divisions of GB/T 4754."""

    list_display = ("code", "name", "section", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code", "name_zh", "name_en")
    ordering = ("code",)


@admin.register(Province)
class ProvinceAdmin(ReadOnly):
    """Provinces of GB/T 2260."""

    coded: ClassVar = {"region": words.regions}
    list_display = ("code", "name", "region", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code", "name_zh", "name_en")
    ordering = ("code",)


@admin.register(Product)
class ProductAdmin(ReadOnly):
    """The bank's products."""

    coded: ClassVar = {"family": words.families}
    list_display = ("code", "name", "family", "is_lending", "is_active")
    list_filter = (("family", CodedFilter), "is_lending", "is_active")
    search_fields = ("code", "name_zh", "name_en")
    ordering = ("code",)


@admin.register(Transition)
class TransitionAdmin(ReadOnly):
    """The edges of the graph."""

    coded: ClassVar = {
        "from_code": words.stages,
        "to_code": words.stages,
        "event": words.events,
        "actor_role": words.owners,
    }
    list_display = ("case_kind", "from_code", "to_code", "event", "actor_role", "is_active")
    list_filter = ("case_kind", "is_active")
    search_fields = ("from_code", "to_code", "event")
    ordering = ("case_kind", "pk")


@admin.register(CaseEvent)
class CaseEventAdmin(ReadOnly):
    """The names of events."""

    list_display = ("code", "name", "subject", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code", "name_zh", "name_en")
    ordering = ("code",)


@admin.register(Stage)
class StageAdmin(Loaded):
    """Stages: the bank sets its promised days and its words for the client, not the graph."""

    coded: ClassVar = {"phase": words.phases, "owner_role": words.owners, "clock": words.clocks}
    audited = ("code", "sla_working_days", "client_label_zh", "client_label_en")
    list_display = ("code", "name", "case_kind", "phase", "sla_working_days", "is_active")
    list_filter = ("case_kind", ("phase", CodedFilter), "is_active")
    search_fields = ("code", "name_zh", "name_en")
    ordering = ("case_kind", "position")
    readonly_fields = (
        "case_kind",
        "code",
        "position",
        "name_zh",
        "name_en",
        "phase",
        "owner_role",
        "clock",
        "terminal",
        "is_active",
    )


@admin.register(MilestoneType)
class MilestoneTypeAdmin(Loaded):
    """Milestones: the bank decides which of them clients see."""

    coded: ClassVar = {"stage": words.stages}
    audited = ("code", "client_visible")
    list_display = ("code", "name", "stage", "client_visible", "is_active")
    list_filter = ("client_visible", "is_active")
    search_fields = ("code", "name_zh", "name_en")
    ordering = ("position",)
    readonly_fields = (
        "code",
        "position",
        "name_zh",
        "name_en",
        "case_kinds",
        "stage",
        "is_active",
    )
