"""Records of clients, and the doors through which machines report, for machines and scripts."""

from clients.api.happening import Events
from clients.api.lending import Facilities
from clients.api.records import Cases, Clients, Contacts, Milestones
from clients.api.reports import Touchpoints, Transactions

__all__ = [
    "Cases",
    "Clients",
    "Contacts",
    "Events",
    "Facilities",
    "Milestones",
    "Touchpoints",
    "Transactions",
]
