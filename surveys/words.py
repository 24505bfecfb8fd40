"""What the codes of invitations, mails and responses are called, for the pages of the admin."""

from collections.abc import Mapping
from typing import Any

from django.utils import dates
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop

from bank.models import Team
from bank.words import CHANNELS, LANGUAGES, said
from clients.models import Client, Contact
from clients.words import events, sources, steps
from surveys.models import Campaign, Hit, SuppressionRule
from surveys.models.trigger import MONTHS

CANCELLED = "cancelled"
# Why the program paused a campaign, by the code it writes.
_PAUSES = {
    "bounces": gettext_noop("%(count)d of the first %(first)d mails bounced"),
    "domain_bounces": gettext_noop("%(count)d mails in a row to %(domain)s bounced"),
    "relay_refused": gettext_noop("the mail relay refuses our mail (%(phase)s): %(reply)s"),
}
_PASSES = {
    "after_overdue": gettext_noop("settled after overdue or recovery"),
    "already_asked": gettext_noop("already asked about this"),
    "answered_before": gettext_noop("answered about this case just before"),
    "decline_reason": gettext_noop("the reason of the refusal is unknown or confidential"),
    "client_pause": gettext_noop("the client was asked on such an event not long ago"),
    "not_called": gettext_noop("nobody has spoken to the client about the refusal"),
    "missing_value": gettext_noop("the mail needs a value that is missing"),
    "no_contact": gettext_noop("no contact has one of the roles"),
    "no_eligible_contact": gettext_noop("no contact may be asked now"),
    "quick_renewal": gettext_noop("a renewal approved within three working days"),
    "questionnaire_not_ready": gettext_noop("the questionnaire has no published mail"),
    "reserved_for_wave": gettext_noop("kept free for the coming wave"),
    "sampled_out": gettext_noop("not in the sample"),
    "too_old": gettext_noop("too long ago"),
    "trigger_cooldown": gettext_noop("asked by this trigger not long ago"),
}

_SIGNALS = {
    "head": gettext_noop("asked for the head of the page only"),
    "agent": gettext_noop("names a program, or nothing"),
    "network": gettext_noop("comes from a network on the bank's list"),
    "trap": gettext_noop("followed a link or filled in a field that no person sees"),
    "scores": gettext_noop("followed several scores of one mail"),
    "instant": gettext_noop("came within two seconds of the mail"),
    "unread": gettext_noop("sent the form faster than it can be read"),
    "same_second": gettext_noop("followed two links of one mail in the same second"),
    "mails": gettext_noop("followed links of several persons' mails within seconds"),
    "quick": gettext_noop("came within twenty seconds of the mail"),
    "opt_out": gettext_noop("opened survey and opt-out together"),
}


def judgement(hit: Hit) -> str:
    """Why a visit is called a person's or a machine's, in words."""
    if hit.ruled_by is not None:
        words = {"who": hit.ruled_by.display_name, "why": hit.ruled_why}
        return gettext("decided by %(who)s: %(why)s") % words
    return "; ".join(gettext(_SIGNALS.get(code, code)) for code in hit.signals)


def reasons() -> Mapping[str, str]:
    """Why somebody is not asked, by code: the bank's rules, and a stopped campaign."""
    names = {rule.code: rule.name for rule in SuppressionRule.objects.all()}
    return names | {
        CANCELLED: gettext("cancelled"),
        "answered": gettext("answered"),
        "sampled_out": gettext("not in the sample"),
        "over_quota": gettext("no place left in the quotas"),
    }


def pause(reason: Mapping[str, Any]) -> str:
    """Why the program paused a campaign, in a sentence; empty when a person did."""
    if not reason:
        return ""
    code = str(reason.get("code", ""))
    return gettext(_PAUSES[code]) % reason if code in _PAUSES else code


def passes() -> Mapping[str, str]:
    """Why an event asked nobody, or not this contact."""
    return {**reasons(), **said(_PASSES)}


def happenings() -> Mapping[str, str]:
    """The events that triggers wait for, by the code they write."""
    own, reached = events(), steps()
    months = {f"schedule:{month}": str(dates.MONTHS[n]) for n, month in enumerate(MONTHS, 1)}
    return {
        **own,
        **{f"client:{code}": name for code, name in own.items()},
        **{f"{kind}:{code}": reached[code] for kind in ("stage", "milestone") for code in reached},
        **{f"touchpoint:{code}": name for code, name in sources().items()},
        **months,
    }


def languages() -> Mapping[str, str]:
    """The two languages."""
    return said(LANGUAGES)


def channels() -> Mapping[str, str]:
    """How something went out or came in."""
    return said(CHANNELS)


def audience(chosen: Mapping[str, Any]) -> str:
    """Whom a campaign asks, in one line."""
    choices = {
        "segment": Client.Segment,
        "size": Client.Size,
        "job_roles": Contact.JobRole,
        "buying_roles": Contact.BuyingRole,
    }
    labels = {
        "client_codes": gettext("client codes"),
        "segment": gettext("segment"),
        "team": gettext("team"),
        "size": gettext("size"),
        "job_roles": gettext("job roles"),
        "buying_roles": gettext("buying roles"),
    }
    parts = []
    for name, value in chosen.items():
        known = dict(choices[name].choices) if name in choices else {}
        if name in {"team", "within"}:
            known = {team.code: team.name for team in Team.objects.filter(code=value)}
        values = value if isinstance(value, list) else [value]
        words = [str(known.get(one, one)) for one in values]
        parts.append(f"{capfirst(labels.get(name, gettext('team')))} {' / '.join(words)}")
    return " · ".join(parts)


def wave(campaign: Campaign) -> str:
    """How a campaign is spread, drawn and limited, in one line; empty when it is not."""
    parts = []
    if campaign.weeks > 1:
        parts.append(gettext("%(count)d weeks") % {"count": campaign.weeks})
    if campaign.sample_share is not None:
        parts.append(
            gettext("%(share)s %% drawn") % {"share": f"{campaign.sample_share.normalize():f}"}
        )
    if campaign.sample_size is not None:
        parts.append(gettext("%(count)d drawn") % {"count": campaign.sample_size})
    if campaign.team_places is not None:
        places = gettext("at most %(count)d per team and week") % {"count": campaign.team_places}
        shares = [
            f"{name} {campaign.role_shares.get(role, 0)} %"
            for role, name in Contact.BuyingRole.choices
            if campaign.role_shares
        ]
        parts.append(f"{places} ({', '.join(shares)})" if shares else places)
    return " · ".join(parts) or "–"
