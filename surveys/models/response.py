"""What came back: responses and their answers. Nothing is ever overwritten."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from bank import scope
from bank.models import ApiKey, User
from clients.models import Client, Contact
from surveys.models.campaign import Invitation
from surveys.models.hit import Hit
from surveys.models.questionnaire import Question, Version


class ResponseQuerySet(models.QuerySet["Response"]):
    """Filters over responses."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only responses of clients this viewer may see; attribution is judged apart.

        A test is nobody's response.
        """
        return self.filter(scope.clients_of(viewer, "client__"), is_test=False)

    def standing(self) -> Self:
        """Responses that count: neither retracted nor replaced, nor a test."""
        return self.filter(retracted_at__isnull=True, is_test=False)

    def doubted(self) -> Self:
        """Responses whose form a machine seems to have sent: they count like all others."""
        sent = Hit.objects.filter(
            invitation=OuterRef("invitation"),
            at=OuterRef("submitted_at"),
            method="POST",
            person=False,
        )
        return self.filter(Exists(sent))

    def of_link(self, invitation: Invitation) -> "Response":
        """The one that stands for this link, be it a test."""
        return self.get(invitation=invitation, retracted_at__isnull=True)


class Response(models.Model):
    """One submission. A correction is a new response that retracts the one before."""

    response_id = models.CharField(_("response number"), max_length=120, unique=True)
    invitation = models.ForeignKey(
        Invitation,
        verbose_name=_("invitation"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="responses",
    )
    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.PROTECT, related_name="responses"
    )
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("contact"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="responses",
    )
    version = models.ForeignKey(Version, verbose_name=_("version"), on_delete=models.PROTECT)
    language = models.CharField(_("language"), max_length=2)
    channel = models.CharField(_("channel"), max_length=10, default="email")
    submitted_at = models.DateTimeField(_("submitted at"))
    is_test = models.BooleanField(_("test"), default=False)
    # Raised by each change of an answer (a repeated import): figures compare its sum.
    revision = models.PositiveIntegerField(_("revision"), default=1)
    replaces = models.OneToOneField(
        "self",
        verbose_name=_("replaces"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replaced_by",
    )
    retracted_at = models.DateTimeField(_("retracted at"), null=True, blank=True)
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)

    objects = ResponseQuerySet.as_manager()

    class Meta:
        verbose_name = _("response")
        verbose_name_plural = _("responses")
        constraints: ClassVar = [
            # One link, one standing response: the last wall against a double submit.
            models.UniqueConstraint(
                fields=["invitation"],
                condition=Q(invitation__isnull=False, retracted_at__isnull=True),
                name="response_once_per_link",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["client", "submitted_at"], name="response_client"),
            models.Index(fields=["submitted_at"], name="response_submitted"),
        ]

    def __str__(self) -> str:
        return self.response_id


class Answer(models.Model):
    """One item of one response. No row means skipped; `na` is a value of its own."""

    response = models.ForeignKey(
        Response, verbose_name=_("response"), on_delete=models.CASCADE, related_name="answers"
    )
    question = models.ForeignKey(Question, verbose_name=_("question"), on_delete=models.PROTECT)
    # A number of the scale; null with `na`, and for texts and choices.
    value = models.SmallIntegerField(_("value"), null=True, blank=True)
    na = models.BooleanField(_("not applicable"), default=False)
    text = models.TextField(_("text"), blank=True)
    choices = models.JSONField(_("choices"), default=list, blank=True)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["response", "question"], name="answer_unique"),
            models.CheckConstraint(
                condition=Q(na=False) | Q(value__isnull=True), name="answer_na_has_no_value"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.response_id} {self.question_id}"
