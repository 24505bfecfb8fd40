"""S3: the build of one mail from its values, against Django's templates and message class."""

from collections.abc import Callable
from email import message_from_bytes, policy
from typing import NamedTuple

from django.core.mail import EmailMultiAlternatives
from django.template import Context, Template

from bench import people
from bench.measuring import Goal, Line, in_turn, seconds
from surveys import letters, links
from surveys.models import Delivery, Invitation

GOAL = Goal("S3", 50)
# Enough for none of them to be remembered from the round before.
MAILS, NAIVE = 4_000, 200
PERSONAL = ("client_name", "contact_name", "survey_link", "opt_out_link")


class Values(NamedTuple):
    """What both sides are given for one mail: headers and words."""

    heads: list[tuple[str, str]]
    words: dict[str, str]


class Naive:
    """The usual way: templates compiled once, and EmailMultiAlternatives."""

    def __init__(self, finished: bytes, words: dict[str, str]) -> None:
        """Take the layout from one finished mail; its personal words become variables."""
        mail = message_from_bytes(finished, policy=policy.default)
        parts = [part.get_content() for part in mail.iter_parts()]
        self.subject, self.text, self.html = (
            _as_template(text, words) for text in (str(mail["Subject"]), *parts)
        )

    def build(self, values: Values) -> bytes:
        """One mail."""
        heads, words = dict(values.heads), values.words
        plain = Context(words, autoescape=False)
        mail = EmailMultiAlternatives(
            self.subject.render(plain),
            self.text.render(plain),
            heads.pop("From"),
            [heads.pop("To")],
            headers=heads,
        )
        mail.attach_alternative(self.html.render(Context(words)), "text/html")
        return mail.message().as_bytes()


def measure(scale: float) -> Line:
    """Both sides build the same mails; afterwards each pair must read the same."""
    del scale
    asked = people.campaign(people.contacts(MAILS, "S3"))
    rows = Delivery.objects.filter(invitation__campaign=asked, invitation__language="zh")
    rows = rows.select_related("invitation__contact").order_by("pk")
    mails = [_values(one) for one in rows]
    form = letters.compile_form(people.version(), "zh", Delivery.Kind.INVITATION)
    naive = Naive(form.fill(*mails[0]), mails[0].words)
    few = mails[:NAIVE]
    a, b = in_turn(
        lambda: seconds(lambda: _each(mails, lambda one: form.fill(*one))) / len(mails),
        lambda: seconds(lambda: _each(few, naive.build)) / len(few),
        rounds=7,
    )
    different = sum(_read(form.fill(*one)) != _read(naive.build(one)) for one in few)
    told = (
        f"one mail from its values: {min(a) * 1e6:.1f} µs, by templates and "
        f"EmailMultiAlternatives {min(b) * 1e6:.0f} µs"
    )
    faults = [f"{different} mails read differently"] if different else []
    return Line(GOAL, [y / x for x, y in zip(a, b, strict=True)], told, faults)


def _values(delivery: Delivery) -> Values:
    invitation = delivery.invitation
    words = _words(invitation)
    return Values(
        [
            ("From", "cx@bank.example"),
            ("To", invitation.contact.email),
            ("Message-ID", delivery.message_id),
            ("List-Unsubscribe", f"<{words['opt_out_link']}>"),
            ("Auto-Submitted", "auto-generated"),
        ],
        words,
    )


def _words(invitation: Invitation) -> dict[str, str]:
    words = {
        name: str(value[invitation.language] if isinstance(value, dict) else value)
        for name, value in invitation.variables.items()
    }
    return (
        {"branch_name": "客户服务团队", "rm_name": "您的客户经理", "sender_line": ""}
        | words
        | {
            "survey_link": links.survey_url(invitation.uuid),
            "opt_out_link": links.opt_out_url(invitation.uuid),
        }
    )


def _as_template(text: str, words: dict[str, str]) -> Template:
    for name in PERSONAL:
        text = text.replace(words[name], "{{ " + name + " }}")
    return Template(text)


def _each(mails: list[Values], build: Callable[[Values], object]) -> None:
    """One after the other and none kept, as a sender does."""
    for one in mails:
        build(one)


def _read(data: bytes) -> list[str]:
    """What a person reads: subject, text and HTML."""
    mail = message_from_bytes(data, policy=policy.default)
    return [str(mail["Subject"])] + [p.get_content().rstrip("\n") for p in mail.iter_parts()]
