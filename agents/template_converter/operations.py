"""What callers may ask of the converter, the same over HTTP and A2A: who may, what is read at once and what becomes a job."""

from typing import Any

from anyio import CapacityLimiter, to_thread

from agents.template_converter.exporting import EXPORTS_AT_ONCE, Export, export_version
from agents.template_converter.git import Progress
from agents.template_converter.job import EXPORT, INSPECT, LibrarySource, kind_of
from agents.template_converter.messages import CheckAsked, DiffAsked
from agents.template_converter.reimport_job import REIMPORT
from agents.template_converter.remembering import read_remembering
from agents.template_converter.service import ConverterService, silent
from agents.template_converter.sources import parse_source, redact
from agents.template_converter.threads import in_thread
from shared_services.clients.library import LibraryClient
from shared_services.contracts.checking import CheckReport
from shared_services.contracts.conversion import (
    ConversionResult,
    ConvertRequest,
    ExportReport,
    ExportRequest,
    Form,
    FormCandidate,
    InspectRequest,
    SourceRequest,
    StepPreview,
)
from shared_services.contracts.differences import WorkshopDiff
from shared_services.contracts.identity import Identity, Role
from shared_services.contracts.inventory import Inventory
from shared_services.contracts.jobs import Job, JobState
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.problems import Problem
from shared_services.contracts.reimport import ReimportRequest
from shared_services.contracts.workshop import SourceMap
from shared_services.jobs.service import Jobs
from shared_services.kit.errors import ConflictError, NotFoundError, ProblemError, UnavailableError
from shared_services.kit.identity import Permission, require
from shared_services.library.checking import check_workshop
from shared_services.library.choices import address_key, takes_choice
from shared_services.library.differences import diff_workshops


def may_use(caller: Identity | None, request: SourceRequest) -> Identity:
    """The caller, when they may have this source read: authors, and of this machine's own folders administrators alone.

    The person at the machine, who signed in by the printed link, is one; an author of a server who signed in from elsewhere
    is not, and learns nothing about which folders there are.

    Raises:
        UnauthenticatedError: Nobody is signed in.
        ForbiddenError: They may not convert.
        BadAddressError: No address that this caller may give.
        HostileSourceError: Made to be taken for an option or a command.
    """
    identity = require(caller, Permission.WORKSHOP_CONVERT)
    if Role.ADMIN not in identity.roles:
        parse_source(request.source, allow_local=False)
    return identity


class Operations:
    """The converter's skills.

    Args:
        service: Does the work.
        jobs: Run conversions and inspections; None where there are none.
        library: Holds what is exported and previewed; None where it is not known.
    """

    def __init__(self, service: ConverterService, jobs: Jobs | None = None, library: LibrarySource | None = None) -> None:
        self._service = service
        self._jobs = jobs
        self._library = library
        self._exporting = CapacityLimiter(EXPORTS_AT_ONCE)

    @property
    def jobs(self) -> Jobs:
        """The jobs.

        Raises:
            UnavailableError: There are none here.
        """
        if self._jobs is None:
            raise UnavailableError(
                "Conversions do not run here: this process has no database for jobs (CONVERTER_DATABASE_URL). "
                "`classify` and `inspect` work without."
            )
        return self._jobs

    async def classify(
        self, caller: Identity | None, request: ConvertRequest, progress: Progress = silent
    ) -> list[FormCandidate]:
        """Readings of a source, the likeliest first.

        Raises:
            PlatformError: The caller may not, or the source cannot be fetched.
        """
        may_use(caller, request)
        return await in_thread(lambda told: self._service.classify(request, told), progress)

    async def inspect(self, caller: Identity | None, request: SourceRequest, progress: Progress = silent) -> Inventory:
        """What a source holds.

        Raises:
            PlatformError: The caller may not, or the source cannot be fetched.
        """
        may_use(caller, request)
        return await in_thread(lambda told: self._service.inspect(request, None, told), progress)

    async def start_conversion(self, caller: Identity | None, request: ConvertRequest) -> Job:
        """A conversion as a job; its result is a `ConversionResult`, or a `ConversionsResult` of `every` workshop.

        Raises:
            PlatformError: The caller may not, or jobs do not run here.
        """
        return await self._submit(kind_of(request), caller, request)

    async def start_inspection(self, caller: Identity | None, request: InspectRequest) -> Job:
        """An inspection as a job; its result is an `InspectionResult`.

        Raises:
            PlatformError: The caller may not, or jobs do not run here.
        """
        return await self._submit(INSPECT, caller, request)

    async def start_reimport(self, caller: Identity | None, request: ReimportRequest) -> Job:
        """A newer commit merged into a workshop, as a job; its result is a `ReimportResult`.

        Raises:
            PlatformError: The caller may not, or jobs do not run here.
        """
        identity = require(caller, Permission.WORKSHOP_CONVERT)
        if request.source is not None:
            may_use(identity, SourceRequest(source=request.source))
        return await self.jobs.submit(REIMPORT, request.workshop, identity.id, request.model_dump(mode="json"))

    async def _submit(self, kind: str, caller: Identity | None, request: SourceRequest) -> Job:
        identity = may_use(caller, request)
        given: dict[str, Any] = request.model_dump(mode="json")
        return await self.jobs.submit(kind, redact(request.source), identity.id, given)

    async def export(self, caller: Identity | None, workshop: str, version: str | None, form: Form) -> Export:
        """A version of a workshop, the current one where none is named, in another form.

        Raises:
            PlatformError: The caller may not, there is no such version, or no export to this form.
        """
        require(caller, Permission.WORKSHOP_CONVERT, workshop=workshop)
        library = self._reading()
        return await export_version(self._service, library, await _version(library, workshop, version), form, self._exporting)

    async def start_export(self, caller: Identity | None, request: ExportRequest) -> Job:
        """An export as a job; its result is an `ExportReport`, and the library keeps the archive.

        Raises:
            PlatformError: The caller may not, there is no such version, no export to this form, or jobs do not run here.
        """
        identity = require(caller, Permission.WORKSHOP_CONVERT, workshop=request.workshop)
        self._service.exporter(request.form)
        found = await _version(self._reading(), request.workshop, request.version)
        given = request.model_copy(update={"version": found.version})
        return await self.jobs.submit(EXPORT, f"{found.workshop} as {request.form}", identity.id, given.model_dump(mode="json"))

    async def kept_export(self, report: ExportReport) -> bytes:
        """The archive that an export's job kept; whoever asks was let in when the job was submitted.

        Raises:
            ProblemError: None is kept.
        """
        return await self._reading().export(report.workshop, report.version, report.form)

    async def check(self, caller: Identity | None, request: CheckAsked, progress: Progress = silent) -> CheckReport:
        """What is wrong with a version of a workshop, or with the neutral form in a source.

        Raises:
            ChoiceRequiredError: The source holds several workshops.
            PlatformError: The caller may not, there is no such version, or the source cannot be fetched.
        """
        if request.source is not None:
            source = SourceRequest(source=request.source, ref=request.ref, path=request.path)
            may_use(caller, source)
            return await in_thread(lambda told: self._service.check(source, told), progress)
        files = await self._files(caller, request.workshop or "", request.version)
        return await to_thread.run_sync(check_workshop, files)

    async def diff(self, caller: Identity | None, request: DiffAsked, progress: Progress = silent) -> WorkshopDiff:
        """What differs between two versions of a workshop, or two states of a source.

        Raises:
            ChoiceRequiredError: Several readings of the source are equally likely, and none was chosen before.
            PlatformError: The caller may not, there is no such version, or the source cannot be read.
        """
        if request.workshop is not None:
            require(caller, Permission.WORKSHOP_CONVERT, workshop=request.workshop)
            library = self._reading()
            new = await _version(library, request.workshop, request.new)
            return await library.diff(request.workshop, request.old or "", new.version)
        old, newer = request.states()
        may_use(caller, old)
        choice = None
        if self._library is not None and takes_choice(old):
            choice = await self._library().choice(address_key(old.source))

        def both(told: Progress) -> WorkshopDiff:
            before = read_remembering(self._service, old, choice, told)
            return diff_workshops(before.workshop, read_remembering(self._service, newer, choice, told).workshop)

        return await in_thread(both, progress)

    async def _files(self, caller: Identity | None, workshop: str, version: str | None) -> dict[str, bytes]:
        require(caller, Permission.WORKSHOP_CONVERT, workshop=workshop)
        library = self._reading()
        return await library.files(await _version(library, workshop, version))

    async def result(self, caller: Identity | None, job_id: str) -> ConversionResult:
        """What one's own conversion came to.

        Raises:
            NotFoundError: The caller has no such conversion.
            ConflictError: It has not ended, or was cancelled.
            ProblemError: What it failed with.
        """
        identity = require(caller, Permission.WORKSHOP_CONVERT)
        job = await self.jobs.get(job_id)
        if job.owner != identity.id and Role.ADMIN not in identity.roles:
            raise NotFoundError(f"There is no job '{job_id}'.")
        return conversion_of(job)

    async def preview(self, caller: Identity | None, job_id: str, step: str) -> StepPreview:
        """A step of one's own conversion, beside the pages it was made from.

        Raises:
            PlatformError: As for `result`; or there is no such step.
        """
        made = await self.result(caller, job_id)
        library = self._reading()
        version = await library.version(made.workshop, made.version)
        if step not in version.steps:
            raise NotFoundError(f"The workshop has no step '{step}'. Its steps: {', '.join(version.manifest.steps)}.")
        hashes = {file.path: file.sha256 for file in version.files}

        async def text(name: str) -> str:
            sha256 = hashes.get(f"steps/{step}/{name}")
            return (await library.file(version.workshop, sha256)).decode() if sha256 else ""

        raw = await text("source-map.json")
        source_map = SourceMap.model_validate_json(raw) if raw else SourceMap(file="")
        named = dict.fromkeys(path for path in [source_map.file, *(row[1] for row in source_map.runs)] if path)
        return StepPreview(
            id=step,
            title=version.steps[step].title,
            content=await text("content.md"),
            hints=await text("hints.md"),
            source=source_map.file,
            runs=source_map.runs,
            pages={path: page for path in named if (page := await _page(library, version, path)) is not None},
        )

    def _reading(self) -> LibraryClient:
        if self._library is None:
            raise UnavailableError("There is no library here to read workshops from (CORE_ENDPOINT).")
        return self._library()


def conversion_of(job: Job) -> ConversionResult:
    """What a conversion's job came to.

    Raises:
        NotFoundError: The job is no conversion of one workshop.
        ConflictError: It has not ended, or was cancelled.
        ProblemError: What it failed with.
    """
    if job.error is not None:
        raise ProblemError(Problem.model_validate(job.error))
    if job.state is not JobState.SUCCEEDED or job.result is None:
        raise ConflictError(f"Job '{job.id}' is {job.state}, so there is no report of it. Follow it under /api/v1/jobs.")
    if "report" not in job.result:
        raise NotFoundError(f"Job '{job.id}' of kind '{job.kind}' has no report of one workshop; its result has what it made.")
    return ConversionResult.model_validate(job.result)


async def _version(library: LibraryClient, workshop: str, version: str | None) -> WorkshopVersion:
    return await (library.current(workshop) if version is None else library.version(workshop, version))


async def _page(library: LibraryClient, version: WorkshopVersion, path: str) -> str | None:
    try:
        return await library.source(version.workshop, version.version, path)
    except ProblemError as error:
        if error.status != NotFoundError.status:
            raise
        return None
