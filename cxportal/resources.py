"""Resources of django-import-export whose rows go through our own engine in bulk."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.resources import Resource
from import_export.results import Error, InvalidRow, Result, RowResult

from bank.models import in_language
from clients.imports import mapping, reading
from clients.imports.kinds import Kind
from clients.imports.reporting import Report, Unreadable
from cxportal import imports


class Upload:
    """The bytes of an uploaded file, in the place of the library's data set."""

    def __init__(self, content: bytes) -> None:
        self.content = content


class EngineResource(Resource):  # type: ignore[misc]
    """One kind of file; a subclass per kind is made below."""

    kind: ClassVar[type[Kind]]

    @classmethod
    def get_display_name(cls) -> str:
        """The kind in the language of the page."""
        return in_language(cls.kind.title_zh, cls.kind.title_en)

    def get_user_visible_fields(self) -> list[Field]:
        """The columns, for the help beside the form."""
        return [Field(column_name=column.name) for column in self.kind().columns()]

    def import_data(self, dataset: Upload, dry_run: bool = False, **kwargs: Any) -> Result:  # noqa: FBT001, FBT002 - the library's signature
        """Preview or apply; a file that cannot be read is one error of the whole."""
        try:
            by_map = mapping.loads(kwargs.get("mapping") or "{}")
            table = reading.parse(dataset.content, kwargs["file_name"], sheet=by_map.sheet)
            report = imports.run(
                self.kind.name,
                table,
                by_map=by_map,
                apply=not dry_run,
                at=kwargs["at"],
                by=kwargs["user"],
            )
        except Unreadable as error:
            result = Result()
            result.append_base_error(Error(error))
            return result
        return _result(report)


def _result(report: Report) -> Result:
    """Our report in the library's words."""
    result = Result()
    result.report = report
    result.total_rows = report.rows
    result.diff_headers = []
    result.totals[RowResult.IMPORT_TYPE_NEW] = report.new
    result.totals[RowResult.IMPORT_TYPE_UPDATE] = report.changed
    result.totals[RowResult.IMPORT_TYPE_SKIP] = report.unchanged + report.skipped
    for number, key, values in report.changes:
        row = RowResult()
        is_new = not any(old for old, _new in values.values())
        row.import_type = RowResult.IMPORT_TYPE_NEW if is_new else RowResult.IMPORT_TYPE_UPDATE
        row.object_repr, row.diff = key, list(values.values())
        row.number = number
        result.rows.append(row)
    for problem in report.problems:
        if problem.level == "error":
            fault = ValidationError({problem.column or "__all__": [str(problem.say)]})
            result.invalid_rows.append(InvalidRow(problem.row, fault, [problem.value]))
    return result


RESOURCES: list[type[EngineResource]] = [
    type(f"{kind.__name__}Resource", (EngineResource,), {"kind": kind})
    for kind in imports.KINDS.values()
]
