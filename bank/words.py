"""What codes are called that the database keeps as they are, for the pages of the admin."""

from collections.abc import Mapping

from django.apps import apps
from django.utils.translation import gettext, gettext_noop

SCOPES = {
    "read": gettext_noop("Read figures and lists"),
    "ingest": gettext_noop("Deliver data"),
    "manage": gettext_noop("Plan and run campaigns"),
}
LANGUAGES = {"zh": gettext_noop("Chinese"), "en": gettext_noop("English")}
CHANNELS = {
    "email": gettext_noop("e-mail"),
    "import": gettext_noop("imported"),
    "web": gettext_noop("web page"),
}
ACTS = {
    "accounts.ensure": gettext_noop("Account made"),
    "campaign.advance": gettext_noop("Campaign moved on by the clock"),
    "campaign.approve": gettext_noop("Campaign agreed to"),
    "campaign.close": gettext_noop("Campaign closed early"),
    "campaign.export": gettext_noop("Failed mails of a campaign exported"),
    "campaign.hold": gettext_noop("Campaign paused by the program"),
    "campaign.launch": gettext_noop("Campaign launched"),
    "campaign.pause": gettext_noop("Campaign paused"),
    "campaign.plan": gettext_noop("Campaign planned"),
    "campaign.remind": gettext_noop("Reminders queued"),
    "campaign.resume": gettext_noop("Campaign resumed"),
    "campaign.retry": gettext_noop("Failed mails tried again"),
    "campaign.revise": gettext_noop("Campaign changed"),
    "campaign.stop": gettext_noop("Campaign stopped"),
    "campaign.submit": gettext_noop("Campaign handed in for agreement"),
    "campaign.test": gettext_noop("Campaign tested"),
    "campaign.withdraw": gettext_noop("Campaign taken back to draft"),
    "campaign.write": gettext_noop("Invitations of a launch written"),
    "case.correct": gettext_noop("Case corrected"),
    "case.milestone": gettext_noop("Milestone recorded"),
    "client.event": gettext_noop("Client event recorded"),
    "consent.bounce": gettext_noop("Address bounced"),
    "consent.clear_bounce": gettext_noop("Bounced address cleared"),
    "consent.freeze": gettext_noop("Client frozen"),
    "consent.opt_out": gettext_noop("Person opted out"),
    "consent.return": gettext_noop("Person came back"),
    "consent.state": gettext_noop("Consent noted"),
    "consent.thaw": gettext_noop("Freeze lifted"),
    "consent.why": gettext_noop("Reason of an opt-out given"),
    "delivery.consider_sent": gettext_noop("Mail considered sent"),
    "delivery.send_again": gettext_noop("Mail sent once more"),
    "demo.flush": gettext_noop("Demo data removed"),
    "demo.seed": gettext_noop("Demo data made"),
    "figures.export": gettext_noop("Figures of the overview exported"),
    "hit.rule": gettext_noop("Visit of a link decided by hand"),
    "import.apply": gettext_noop("File imported"),
    "key.make": gettext_noop("API key made"),
    "key.revoke": gettext_noop("API key revoked"),
    "reference.load": gettext_noop("Reference data loaded"),
    "reference.rebase": gettext_noop("Reference of engagement frozen"),
    "reference.robustness": gettext_noop("Robustness of engagement told"),
    "relay.close": gettext_noop("Mail relay works again"),
    "relay.open": gettext_noop("Mail relay in trouble: the queue waits"),
    "response.correct": gettext_noop("Response corrected"),
    "response.submit": gettext_noop("Response received"),
    "setting.put": gettext_noop("Setting changed"),
    "sign_in.done": gettext_noop("Signed in"),
    "sign_in.failed": gettext_noop("Sign-in failed"),
    "touchpoint.log": gettext_noop("Contact logged"),
    "touchpoint.take_back": gettext_noop("Logged contact taken back"),
    "touchpoints.ingest": gettext_noop("List of touchpoints taken"),
    "transactions.ingest": gettext_noop("List of transactions taken"),
    "trigger.invite": gettext_noop("Contacts asked on events"),
    "trigger.remind": gettext_noop("Reminders of triggers queued"),
    "version.draft": gettext_noop("Draft made"),
    "version.publish": gettext_noop("Version published"),
}
# What Django's own history writes: "<model>.<verb>".
VERBS = {
    "add": gettext_noop("Added"),
    "change": gettext_noop("Changed"),
    "delete": gettext_noop("Deleted"),
}
# Texts of Django's own pages that its Chinese catalogue lacks.
DJANGO = (
    gettext_noop("Model name"),
    gettext_noop("Add link"),
    gettext_noop("Change or view list link"),
    gettext_noop("After you’ve created a user, you’ll be able to edit more user options."),
)


def said(words: Mapping[str, str]) -> dict[str, str]:
    """The words in the active language."""
    return {code: gettext(text) for code, text in words.items()}


def acts() -> dict[str, str]:
    """Every act of the audit trail, also those that Django's own history names."""
    models = apps.get_models()
    own = {
        f"{model._meta.model_name}.{verb}": f"{gettext(text)} · {model._meta.verbose_name}"
        for model in models
        for verb, text in VERBS.items()
    }
    return own | said(ACTS)


def actors() -> dict[str, str]:
    """Who acts without being a person; people are named as they are."""
    return {"system": gettext("system"), "contact": gettext("contact")}


def kinds() -> dict[str, str]:
    """What acts are done to, as the trail writes it."""
    others = {
        "bank": gettext("bank"),
        "clients": gettext("clients"),
        "surveys": gettext("surveys"),
    }
    names = {"sign_in": gettext("sign-in")} | others
    for model in apps.get_models():
        name = str(model._meta.verbose_name)
        names |= {str(model._meta.model_name): name, model._meta.label_lower: name}
    return names


TRAIL = {"act": acts, "actor_label": actors, "subject_type": kinds}
