"""A version of the library in another form: its report and its archive."""

import io
import zipfile
from dataclasses import dataclass

from anyio import CapacityLimiter, to_thread

from agents.template_converter.exports.model import Exported
from agents.template_converter.programs import is_program
from agents.template_converter.service import ConverterService
from shared_services.clients.library import LibraryClient
from shared_services.contracts.conversion import ExportReport, Form
from shared_services.contracts.library import WorkshopVersion
from shared_services.library.form import validate_files

EXPORTS_AT_ONCE = 2
REPORT = "export-report.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Export:
    """A version in another form: what to tell, and the files."""

    report: ExportReport
    files: dict[str, bytes]

    async def archived(self) -> bytes:
        """`archive`, made in a thread."""
        return await to_thread.run_sync(self.archive)

    def archive(self) -> bytes:
        """A zip with the files in a folder named by the workshop, and the report beside it; the same bytes each time."""
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as zipped:
            entries = {f"{self.report.workshop}/{path}": data for path, data in self.files.items()}
            entries[REPORT] = self.report.model_dump_json(indent=2).encode() + b"\n"
            for path in sorted(entries):
                entry = zipfile.ZipInfo(path, _EPOCH)
                entry.external_attr = (0o755 if is_program(path, entries[path]) else 0o644) << 16
                zipped.writestr(entry, entries[path], zipfile.ZIP_DEFLATED)
        return held.getvalue()

    @property
    def file_name(self) -> str:
        """Of the archive."""
        return f"{self.report.workshop}-{self.report.form}.zip"


async def export_version(
    service: ConverterService,
    library: LibraryClient,
    version: WorkshopVersion,
    form: Form,
    limiter: CapacityLimiter | None = None,
) -> Export:
    """A version in another form.

    Raises:
        BadInputError: There is no export to this form.
    """
    files = validate_files(await library.files(version))
    return _export_of(version, form, await to_thread.run_sync(service.export, files, form, limiter=limiter))


def _export_of(version: WorkshopVersion, form: Form, exported: Exported) -> Export:
    report = ExportReport(
        workshop=version.workshop,
        version=version.version,
        form=form,
        files=sorted(exported.files),
        losses=sorted(exported.losses, key=lambda row: (row.source, row.line, row.kind)),
    )
    return Export(report, exported.files)
