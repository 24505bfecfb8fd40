"""The records of clients."""

from clients.models.cases import (
    Case,
    CaseEvent,
    CaseKind,
    Milestone,
    MilestoneType,
    Product,
    Stage,
    Transition,
)
from clients.models.governance import Consent, Freeze, Suppression
from clients.models.people import Client, Contact, Industry, Province

__all__ = [
    "Case",
    "CaseEvent",
    "CaseKind",
    "Client",
    "Consent",
    "Contact",
    "Freeze",
    "Industry",
    "Milestone",
    "MilestoneType",
    "Product",
    "Province",
    "Stage",
    "Suppression",
    "Transition",
]
