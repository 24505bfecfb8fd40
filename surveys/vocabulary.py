"""The codes a trigger may name, and which of the named ones nobody knows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clients.models import (
    CaseEvent,
    CaseKind,
    Contact,
    MilestoneType,
    Party,
    Stage,
    Touchpoint,
    Transition,
)
from clients.words import sources
from surveys.models import Trigger
from surveys.models.trigger import MONTHS

# What a person did with a person; machines report the others by the thousand.
MEETINGS = (
    Touchpoint.Kind.VISIT.value,
    Touchpoint.Kind.MEETING.value,
    Touchpoint.Kind.CALL.value,
    Touchpoint.Kind.EVENT.value,
    Touchpoint.Kind.EMAIL_REPLY.value,
)
TARGETS: Mapping[str, Iterable[str]] = {
    Trigger.TargetKind.JOB_ROLE: Contact.JobRole.values,
    Trigger.TargetKind.BUYING_ROLE: Contact.BuyingRole.values,
    # Where the person is not known, jobs may stand in.
    Trigger.TargetKind.EVENT_PERSON: Contact.JobRole.values,
}


@dataclass(frozen=True)
class Vocabulary:
    """Events, stages and milestones by case kind, events of clients, sources of touchpoints."""

    transitions: Mapping[str, set[str]]
    stages: Mapping[str, set[str]]
    milestones: Mapping[str, set[str]]
    client_events: set[str]
    sources: set[str]

    def knows(self, event: str, kinds: Iterable[str]) -> bool:
        """Whether this event can happen; one of cases, to a case of one of the kinds."""
        prefix, _colon, code = event.rpartition(":")
        of_cases = {"": self.transitions, "stage": self.stages, "milestone": self.milestones}
        if prefix in of_cases:
            return any(code in of_cases[prefix].get(kind, ()) for kind in kinds)
        if prefix == "schedule":
            return bool(code) and all(month in MONTHS for month in code.split(","))
        return code in {"client": self.client_events, "touchpoint": self.sources}.get(prefix, ())


def stored() -> Vocabulary:
    """The codes of the reference data as loaded."""
    transitions: dict[str, set[str]] = {}
    for kind, event in Transition.objects.filter(is_active=True).values_list("case_kind", "event"):
        transitions.setdefault(kind, set()).add(event)
    stages: dict[str, set[str]] = {}
    for kind, code in Stage.objects.filter(is_active=True).values_list("case_kind", "code"):
        stages.setdefault(kind, set()).add(code)
    milestones: dict[str, set[str]] = {}
    for row in MilestoneType.objects.filter(is_active=True):
        for kind in row.case_kinds:
            milestones.setdefault(kind, set()).add(row.code)
    events = CaseEvent.objects.filter(subject=CaseEvent.Subject.CLIENT, is_active=True)
    return Vocabulary(
        transitions, stages, milestones, set(events.values_list("code", flat=True)), set(sources())
    )


def shipped(model: Mapping[str, Any]) -> Vocabulary:
    """The codes of the file `case_model.json`."""
    kinds = CaseKind.values
    return Vocabulary(
        transitions={kind: {row["event"] for row in model[kind]["transitions"]} for kind in kinds},
        stages={kind: {row["code"] for row in model[kind]["stages"]} for kind in kinds},
        milestones={
            kind: {row["code"] for row in model["milestone_types"] if kind in row["case_types"]}
            for kind in kinds
        },
        client_events={row["code"] for row in model["client_events"]},
        sources={row["code"] for row in model["enums"]["touchpoint_source"]},
    )


def strange_events(events: Iterable[str], kinds: Iterable[str], words: Vocabulary) -> list[str]:
    """The events that cannot happen."""
    named = list(kinds)
    return [event for event in events if not words.knows(event, named)]


def strange_targets(targets: Iterable[str], kind: str) -> list[str]:
    """The roles that nobody can have."""
    return [target for target in targets if target not in TARGETS.get(kind, ())]


def strange_parties(roles: Iterable[str]) -> list[str]:
    """The roles that no party of a case can have."""
    return [role for role in roles if role not in Party.Role.values]
