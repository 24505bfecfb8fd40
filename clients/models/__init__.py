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
from clients.models.changes import ChangeNote
from clients.models.governance import Consent, Freeze, Suppression
from clients.models.lending import (
    ExchangeRate,
    Facility,
    FacilityBalance,
    Profile,
    Statement,
    Transaction,
)
from clients.models.parties import ClientEvent, Party
from clients.models.people import Client, Contact, Industry, Province
from clients.models.touchpoints import Outage, Touchpoint

__all__ = [
    "Case",
    "CaseEvent",
    "CaseKind",
    "ChangeNote",
    "Client",
    "ClientEvent",
    "Consent",
    "Contact",
    "ExchangeRate",
    "Facility",
    "FacilityBalance",
    "Freeze",
    "Industry",
    "Milestone",
    "MilestoneType",
    "Outage",
    "Party",
    "Product",
    "Profile",
    "Province",
    "Stage",
    "Statement",
    "Suppression",
    "Touchpoint",
    "Transaction",
    "Transition",
]
