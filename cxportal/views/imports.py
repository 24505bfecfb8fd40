"""The import page of the admin: upload, preview, and apply exactly what was previewed."""

import hashlib
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportMixin
from import_export.formats.base_formats import Format
from import_export.forms import ConfirmImportForm, ImportForm
from import_export.results import Result
from import_export.tmp_storages import BaseStorage

from bank.models import in_language
from clients.imports import reading, templates
from clients.models import Client
from cxportal import imports
from cxportal.resources import RESOURCES, Upload

if TYPE_CHECKING:
    Page = admin.ModelAdmin[Any]
else:
    Page = admin.ModelAdmin

PREVIEW_SECONDS = 1800
_SALT = "cxportal.imports.preview"
_NAME = re.compile(r"[0-9a-f]{32}")


class AnyFile(Format):  # type: ignore[misc]
    """CSV or XLSX: the reader finds out by itself."""

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding

    def get_title(self) -> str:
        """The one format on offer."""
        return "CSV / XLSX"

    def create_dataset(self, in_stream: bytes) -> Upload:
        """Hand the bytes on; the resource knows the name of the file."""
        return Upload(in_stream)

    def is_binary(self) -> bool:
        """Bytes: the encoding is for the reader to find."""
        return True

    def get_read_mode(self) -> str:
        """See `is_binary`."""
        return "rb"

    def can_import(self) -> bool:
        """Needed by the library."""
        return True


class Shelf(BaseStorage):  # type: ignore[misc]
    """Uploaded files between preview and apply, under names nobody can choose."""

    def save(self, data: bytes) -> None:
        """Keep the file for its preview, and throw away what was left behind."""
        folder = self._folder()
        for old in folder.iterdir():
            if old.stat().st_mtime < time.time() - 2 * PREVIEW_SECONDS:
                old.unlink(missing_ok=True)
        self.name = uuid4().hex
        path = folder / self.name
        path.touch(mode=0o600)
        path.write_bytes(data)

    def read(self) -> bytes:
        """The file as it was previewed; nothing when it has gone."""
        path = self._path()
        return path.read_bytes() if path.exists() else b""

    def remove(self) -> None:
        """Forget the file."""
        self._path().unlink(missing_ok=True)

    def _folder(self) -> Path:
        folder = Path(settings.STATE_DIR) / "imports"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _path(self) -> Path:
        if not _NAME.fullmatch(self.name or ""):
            raise Http404
        return self._folder() / self.name


class UploadForm(ImportForm):  # type: ignore[misc]
    """Kind, file and, for a file in foreign columns, the mapping."""

    mapping = forms.CharField(
        label=_("Mapping"),
        required=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField"}),
        help_text=_("Only for a file in other columns: our column → their column, as JSON."),
    )
    field_order = ("resource", "import_file", "mapping", "format")

    def __init__(self, formats: Any, resources: Any, **kwargs: Any) -> None:
        super().__init__(formats, resources, **kwargs)
        self.fields["resource"].label = _("Kind of file")
        self.fields["import_file"].label = _("File")
        self.fields["format"].widget = forms.HiddenInput()

    @property
    def media(self) -> forms.Media:
        """No scripts: there is one format, so nothing to guess."""
        return forms.Media()

    def clean_import_file(self) -> Any:
        """Refuse by size before the file is copied."""
        upload = self.cleaned_data["import_file"]
        if upload.size > reading.MAX_BYTES:
            raise forms.ValidationError(
                _("The file is larger than %(size)s MB."),
                params={"size": reading.MAX_BYTES // (1024 * 1024)},
            )
        return upload


class ConfirmForm(ConfirmImportForm):  # type: ignore[misc]
    """One signed token: which file, of which content, as which kind, by whom, until when."""

    token = forms.CharField(widget=forms.HiddenInput())

    def __init__(self, *args: Any, user_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user_id = user_id
        for name in ("import_file_name", "original_file_name", "format", "resource"):
            del self.fields[name]

    def clean_token(self) -> str:
        """Take everything from the token, nothing from the fields beside it."""
        try:
            found = signing.loads(self.cleaned_data["token"], salt=_SALT, max_age=PREVIEW_SECONDS)
        except signing.BadSignature:
            found = None
        if found is None or found["user"] != self.user_id:
            raise forms.ValidationError(_("The preview has expired; upload the file again."))
        self.cleaned_data.update(found)
        return str(found["digest"])


class ImportPage(ImportMixin, Page):  # type: ignore[misc]
    """The library's two steps on one page for all kinds."""

    import_form_class = UploadForm
    confirm_form_class = ConfirmForm
    import_template_name = "admin/imports.html"
    tmp_storage_class = Shelf
    skip_admin_log = True
    formats = (AnyFile,)

    def get_import_resource_classes(self, request: HttpRequest) -> Any:
        """Every kind the portal knows."""
        return RESOURCES

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """The mapping travels with the file; the door asks the clock."""
        form = kwargs.pop("form")
        return {"mapping": form.cleaned_data.get("mapping", ""), "at": timezone.now()}

    def get_confirm_form_kwargs(self, request: HttpRequest, import_form: Any = None) -> Any:
        """The token is made from the preview, for the person who saw it."""
        kwargs = super().get_confirm_form_kwargs(request, import_form)
        if import_form is not None:
            values = import_form.cleaned_data
            values["import_file"].seek(0)
            content = {
                "import_file_name": values["import_file"].tmp_storage_name,
                "original_file_name": values["import_file"].name,
                "format": "0",
                "resource": values["resource"],
                "mapping": values["mapping"],
                "digest": hashlib.sha256(values["import_file"].read()).hexdigest(),
                "user": request.user.pk,
            }
            kwargs["initial"] = {"token": signing.dumps(content, salt=_SALT)}
        return kwargs | {"user_id": request.user.pk}

    def process_dataset(
        self, dataset: Upload, form: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Apply only the very bytes that were previewed."""
        if hashlib.sha256(dataset.content).hexdigest() != form.cleaned_data["digest"]:
            return None
        return super().process_dataset(dataset, form, request, **kwargs)

    def process_result(self, result: Result | None, request: HttpRequest) -> HttpResponse:
        """Say what was written, or why nothing was."""
        if result is None:
            messages.error(request, gettext("The preview has expired; upload the file again."))
        elif result.has_errors() or result.has_validation_errors():
            messages.error(
                request, gettext("Meanwhile the data have changed; nothing was written.")
            )
        else:
            said = gettext(
                "Applied: %(new)s new, %(changed)s changed, %(unchanged)s unchanged, "
                "%(skipped)s skipped."
            )
            messages.success(request, said % result.report.counts())
        return redirect("imports")

    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The kinds, for their templates."""
        kinds = imports.KINDS.values()
        return {
            "kinds": [(kind.name, in_language(kind.title_zh, kind.title_en)) for kind in kinds]
        }


page = ImportPage(Client, admin.site)


def template(request: HttpRequest, kind: str, suffix: str) -> HttpResponse:
    """An empty file with the columns of a kind, as CSV or XLSX."""
    if kind not in imports.KINDS or suffix not in templates.TYPES:
        raise Http404
    content = templates.build(imports.KINDS[kind](), suffix)
    response = HttpResponse(content, content_type=templates.TYPES[suffix])
    response["Content-Disposition"] = f'attachment; filename="{kind}.{suffix}"'
    return response
