"""The converter's logic: a source in, a workshop and an honest report out. Synchronous; callers run it in a thread."""

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError
from structlog import get_logger

from agents.template_converter import recognise
from agents.template_converter.checkout import Checkout, checkout, subtree
from agents.template_converter.checks import neutral_files
from agents.template_converter.errors import SourceError, UnreadableSourceError
from agents.template_converter.exports import EXPORTERS
from agents.template_converter.exports.model import Exported, Exporter
from agents.template_converter.forms.anchors import unique_slug
from agents.template_converter.forms.workshop import read_files
from agents.template_converter.git import Progress
from agents.template_converter.inventory.read import read_inventory
from agents.template_converter.inventory.skeleton import skeleton
from agents.template_converter.left_out import losses_of_absent, sentence
from agents.template_converter.model import ImportedWorkshop, Tree
from agents.template_converter.pages import pages_of
from agents.template_converter.report import make_report, unaccounted
from agents.template_converter.settings import ConverterSettings
from agents.template_converter.twins import passed_over
from agents.template_converter.write import workshop_files, write_folder
from shared_services.contracts.checking import CheckReport
from shared_services.contracts.conversion import ConversionReport, ConvertRequest, Form, FormCandidate, SourceRequest
from shared_services.contracts.inventory import Inventory
from shared_services.contracts.workshop import MAX_STEPS, WorkshopSource
from shared_services.kit.errors import BadInputError
from shared_services.library.checking import check_workshop
from shared_services.library.form import InvalidWorkshopError, WorkshopFiles, validate_files, with_slug

log = get_logger()


def silent(stage: str, done: int, total: int | None, message: str) -> None:
    """A progress callback for callers who do not watch."""


@dataclass(frozen=True)
class Conversion:
    """What a source became.

    Attributes:
        workshop: Held in memory.
        report: What was kept, lost, and broken before.
        pages: The pages that its steps were made from, by path in the source, for whoever compares the two.
    """

    workshop: WorkshopFiles
    report: ConversionReport
    pages: dict[str, bytes] = field(default_factory=dict)


class ConverterService:
    """Recognises and converts sources."""

    def __init__(self, settings: ConverterSettings) -> None:
        self._settings = settings

    def classify(self, request: ConvertRequest, progress: Progress = silent) -> list[FormCandidate]:
        """Every reading of the source, the likeliest first.

        Raises:
            SourceError: The source cannot be fetched or is refused.
        """
        with checkout(request.source, request.ref, self._settings, progress) as laid_out:
            return _candidates(laid_out.tree, request.path)

    def convert(
        self, request: ConvertRequest, out: Path | None, progress: Progress = silent, *, replace: bool = False
    ) -> ConversionReport:
        """Convert the source into a folder that appears whole or not at all.

        Args:
            request: What to convert, and how a person wants it read.
            out: The folder; None for one that is named by the workshop's slug, in the current folder.
            progress: Called with stage (`checkout`, `recognise`, `import`, `write`), done, total or None, and a message.
            replace: Write over what was changed in the folder since the last conversion.

        Raises:
            ChoiceRequiredError: Several readings are equally likely.
            NotAWorkshopError: Nothing in it can be imported.
            SourceError: The source cannot be fetched, is refused, or cannot be read; or `out` cannot be written.
            StorageFullError: The disk is full.
        """
        conversion = self.read(request, progress)
        write_conversion(conversion, out or Path(conversion.report.workshop.slug), progress, replace=replace)
        return conversion.report

    def read(self, request: ConvertRequest, progress: Progress = silent) -> Conversion:
        """Convert the source and keep the workshop in memory; as `convert` otherwise.

        Raises:
            ChoiceRequiredError: Several readings are equally likely.
            NotAWorkshopError: Nothing in it can be imported.
            SourceError: The source cannot be fetched, is refused, or cannot be read.
        """
        with checkout(request.source, request.ref, self._settings, progress) as laid_out:
            tree = laid_out.tree
            progress("recognise", 0, None, f"Looking through {len(tree.files)} files")
            candidate = recognise.choose(_candidates(tree, request.path), request.as_form)
            if not candidate.path and request.path:
                candidate = candidate.model_copy(update={"path": request.path.strip("/")})
            return self._read(laid_out, request, candidate, progress)

    def read_again(self, source: str, recorded: WorkshopSource, ref: str | None, progress: Progress = silent) -> Conversion:
        """Convert a source at another commit, read the way that a workshop's manifest records.

        Args:
            source: Where it is; an address that the manifest records may lack what is needed to read it.
            recorded: Form and folder of the first conversion. Without a form, the source is recognised anew.
            ref: Branch, tag or commit.
            progress: As for `convert`.

        Raises:
            ChoiceRequiredError: Several readings are equally likely, and none is the recorded one.
            NotAWorkshopError: Nothing in it can be imported.
            SourceError: The source cannot be fetched, is refused, or cannot be read.
        """
        request = ConvertRequest(source=source, ref=ref, as_form=recorded.form, path=recorded.path)
        with checkout(source, ref, self._settings, progress) as laid_out:
            progress("recognise", 0, None, f"Looking through {len(laid_out.tree.files)} files")
            same = [row for row in _candidates(laid_out.tree, "") if (row.form, row.path) == (recorded.form, recorded.path)]
            candidate = same[0] if same else recognise.choose(_candidates(laid_out.tree, recorded.path), recorded.form)
            if not candidate.path and recorded.path:
                candidate = candidate.model_copy(update={"path": recorded.path})
            return self._read(laid_out, request, candidate, progress)

    def convert_all(
        self, request: ConvertRequest, out: Path, progress: Progress = silent, *, replace: bool = False
    ) -> list[tuple[FormCandidate, ConversionReport | SourceError]]:
        """Convert every workshop of the source, each into a folder of its own below `out`, named by its slug.

        One that cannot be read does not keep the others from being written; its error stands in its place.

        Raises:
            NotAWorkshopError: Nothing in it can be imported.
            SourceError: The source cannot be fetched or is refused.
            StorageFullError: The disk is full.
        """
        found: list[tuple[FormCandidate, ConversionReport | SourceError]] = []
        for candidate, read in self.read_all(request, progress):
            try:
                if isinstance(read, Conversion):
                    write_conversion(read, out / read.report.workshop.slug, silent, replace=replace)
                found.append((candidate, read.report if isinstance(read, Conversion) else read))
            except SourceError as error:
                found.append((candidate, error))
        return found

    def read_all(
        self, request: ConvertRequest, progress: Progress = silent
    ) -> Iterator[tuple[FormCandidate, Conversion | SourceError]]:
        """Every workshop of the source, one after the other, each under a slug of its own; an error in place of one that
        cannot be read.

        Raises:
            NotAWorkshopError: Nothing in it can be imported.
            SourceError: The source cannot be fetched or is refused.
        """
        with checkout(request.source, request.ref, self._settings, progress) as laid_out:
            progress("recognise", 0, None, f"Looking through {len(laid_out.tree.files)} files")
            chosen = recognise.every(laid_out.tree, _candidates(laid_out.tree, request.path), request.as_form)
            taken: set[str] = set()
            for number, candidate in enumerate(chosen, 1):
                progress(
                    "convert",
                    number - 1,
                    len(chosen),
                    f"Reading {candidate.path or laid_out.source.name}, {number} of {len(chosen)}",
                )
                wanted = request.model_copy(update={"slug": None})
                try:
                    yield candidate, self._read(laid_out, wanted, candidate, silent, taken)
                except SourceError as error:
                    yield candidate, error

    def _read(
        self,
        laid_out: Checkout,
        request: ConvertRequest,
        candidate: FormCandidate,
        progress: Progress,
        taken: set[str] | None = None,
    ) -> Conversion:
        """One reading of a checkout; under a slug that is not `taken` where that is given."""
        progress("import", 0, None, f"Reading as {candidate.form}" + (f" in {candidate.path}" if candidate.path else ""))
        imported = _import(laid_out.tree, candidate)
        if len(imported.steps) > MAX_STEPS:
            raise UnreadableSourceError(
                f"What was read has {len(imported.steps)} steps; a workshop has {MAX_STEPS} at most. "
                "Name a part of it with --path."
            )
        try:
            result = validate_files(self._files(laid_out, request, candidate, imported))
        except ValidationError as error:
            said = "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in error.errors()[:5])
            raise UnreadableSourceError(f"What was read does not make a valid workshop: {said}.") from error
        except InvalidWorkshopError as error:
            raise UnreadableSourceError(f"What was read does not make a valid workshop: {error.detail}") from error
        slug = request.slug if taken is None else unique_slug(result.manifest.slug, taken)
        if slug is not None:
            result = with_slug(result, slug)
        report = make_report(candidate, laid_out.tree, imported, result)
        return Conversion(result, report, pages_of(laid_out.tree, result, report))

    def inspect(
        self, request: SourceRequest, out: Path | None = None, progress: Progress = silent, *, replace: bool = False
    ) -> Inventory:
        """What the source holds, read and never run.

        Args:
            request: The source; the form that a person wants is passed over.
            out: A folder that a workshop's skeleton is written to; None for none.
            progress: As for `convert`, with the stages `checkout`, `inspect` and `write`.
            replace: As for `convert`.

        Raises:
            SourceError: The source cannot be fetched, is refused, or there is nothing to make a workshop of; or `out` cannot be
                written.
            StorageFullError: The disk is full.
        """
        if out is None:
            with self._inspected(request, progress) as (_laid_out, _tree, inventory):
                return inventory
        inventory, made = self.skeleton(request, progress)
        write_conversion(made, out, progress, replace=replace)
        return inventory

    def skeleton(self, request: SourceRequest, progress: Progress = silent) -> tuple[Inventory, Conversion]:
        """What the source holds, and a workshop's skeleton made of it; its report's losses say which steps have no ground.

        Raises:
            SourceError: The source cannot be fetched, is refused, or there is nothing to make a workshop of.
        """
        with self._inspected(request, progress) as (laid_out, tree, inventory):
            return inventory, _skeleton(laid_out, tree, inventory, request)

    @contextmanager
    def _inspected(self, request: SourceRequest, progress: Progress) -> Iterator[tuple[Checkout, Tree, Inventory]]:
        with checkout(request.source, request.ref, self._settings, progress) as laid_out:
            tree = subtree(laid_out.tree, request.path.strip("/"))
            read = read_inventory(tree, lambda done, total: progress("inspect", done, total, f"{done} of {total} files"))
            yield laid_out, tree, read

    def check(self, request: SourceRequest, progress: Progress = silent) -> CheckReport:
        """What is wrong with a workshop in the neutral form.

        Raises:
            ChoiceRequiredError: The source holds several.
            SourceError: It cannot be fetched, is refused, or holds none.
        """
        return check_workshop(neutral_files(self._settings, request, progress))

    @staticmethod
    def exporter(form: Form) -> Exporter:
        """What writes a form.

        Raises:
            BadInputError: There is no export to this form.
        """
        exporter = EXPORTERS.get(form)
        if exporter is None:
            raise BadInputError(f"There is no export to '{form}'. Known ones: {', '.join(EXPORTERS)}.")
        return exporter

    @staticmethod
    def export(workshop: WorkshopFiles, form: Form) -> Exported:
        """A workshop in another form, with everything that it could not hold.

        Raises:
            BadInputError: There is no export to this form.
        """
        return ConverterService.exporter(form).write(workshop)

    @staticmethod
    def _files(
        laid_out: Checkout, request: ConvertRequest, candidate: FormCandidate, imported: ImportedWorkshop
    ) -> dict[str, bytes]:
        if candidate.form is Form.WORKSHOP:
            return read_files(laid_out.tree, candidate.path).files
        source = WorkshopSource(
            repository=laid_out.source.repository,
            ref=request.ref,
            commit=laid_out.tree.commit,
            path=candidate.path,
            form=candidate.form,
        )
        name = posixpath.basename(candidate.path) or laid_out.source.name
        return workshop_files(imported, laid_out.tree, source, name)


def write_conversion(conversion: Conversion, folder: Path, progress: Progress, *, replace: bool = False) -> None:
    """Write a conversion to a folder, which appears whole or not at all.

    Raises:
        SourceError: The folder cannot be written, or holds something else, or changes that `replace` does not give up.
        StorageFullError: The disk is full.
    """
    files, report = conversion.workshop.files, conversion.report
    progress("write", 0, len(files), f"Writing {len(files)} files")
    write_folder(files, folder, replace=replace)
    progress("write", len(files), len(files), "Done")
    log.info(
        "source_converted", form=report.form, steps=report.counts.steps, losses=len(report.losses), broken=len(report.broken)
    )


def _skeleton(laid_out: Checkout, tree: Tree, inventory: Inventory, request: SourceRequest) -> Conversion:
    if not (inventory.build_files or inventory.endpoints or inventory.entry_points):
        raise UnreadableSourceError(
            "There is neither a build file nor an endpoint nor a beginning of a program to make a workshop of."
        )
    folder = request.path.strip("/")
    name = posixpath.basename(folder) or laid_out.source.name
    imported = skeleton(tree, inventory, name, laid_out.source.repository)
    source = WorkshopSource(repository=laid_out.source.repository, ref=request.ref, commit=laid_out.tree.commit, path=folder)
    result = validate_files(workshop_files(imported, tree, source, name))
    made_of = FormCandidate(form=Form.APPLICATION, score=1, path=folder, evidence=["Made of the application's inventory alone."])
    report = make_report(made_of, tree, imported, result)
    return Conversion(result, report, pages_of(tree, result, report))


def _candidates(tree: Tree, path: str) -> list[FormCandidate]:
    """Readings below `path`, or of the page that it is, their own paths told from the source's root."""
    folder = path.strip("/") if path.strip("/") != "." else ""
    if folder in tree:
        alone = Tree(tree.root, {folder: tree.files[folder]}, tree.commit)
        return [row.model_copy(update={"path": folder}) for row in recognise.classify(alone)]
    found = recognise.classify(subtree(tree, folder))
    rows = [row.model_copy(update={"path": posixpath.join(folder, row.path).rstrip("/")}) for row in found]
    return recognise.with_above(tree, folder, rows) if folder else rows


def _import(tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
    importer = recognise.importer_of(candidate.form)
    assert importer is not None, "choose() gives forms that can be imported"
    try:
        imported = importer.read(tree, candidate)
    except UnreadableSourceError as error:
        raise UnreadableSourceError(f"{error.detail} {sentence(tree, candidate.path)}".rstrip()) from error
    except RecursionError as error:
        raise UnreadableSourceError("A page or manifest is nested too deeply to be read.") from error
    if not imported.steps:
        said = f"No page in `{candidate.path or 'the source'}` could be read as a step. {sentence(tree, candidate.path)}"
        raise UnreadableSourceError(said.rstrip())
    imported.losses += unaccounted(tree, imported)
    imported.losses += passed_over(tree, candidate)
    imported.losses += losses_of_absent(tree, imported, candidate.path)
    return imported
