"""From prepared pages to a workshop: which rows make which step, and one rewriting for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.template_converter.forms.anchors import UniqueAnchors, slug, unique_slug
from agents.template_converter.forms.commonmark import Rewritten, macro_losses, rewrite
from agents.template_converter.forms.fences import FenceReader, read_info
from agents.template_converter.forms.lines import Line, runs_of, text_of, trimmed
from agents.template_converter.forms.links import AssetTable, Resolver
from agents.template_converter.forms.pages import Page
from agents.template_converter.model import ImportedStep, ImportedWorkshop, Tree
from shared_services.contracts.workshop import Chapter
from shared_services.pages.markdown import heading_slug

MAX_LINKED_BYTES = 1024 * 1024


@dataclass
class StepPlan:
    """Rows `[first, end)` of a page that become a step; `minutes` where they say how long it takes."""

    page: Page
    first: int
    end: int
    title: str
    id: str = ""
    chapter: str = ""
    minutes: int | None = None


@dataclass
class Plan:
    """A workshop to be: its steps in order.

    Attributes:
        root: Folder that targets beginning with `/` are relative to.
        mkdocs: Whether pages are written for MkDocs (attribute lists, pages linked to as folders).
        fences: Reads a code block's info string.
        variables: Names that are filled in at run time; `{{NAME}}` stays as it is.
        own_files: Addresses of files that steps bring along themselves.
        roots: Further folders that targets beginning with `/` are relative to.
        addresses: Pages by the addresses that their site serves them under; given, pages are linked to as folders too.
        imports: Whether targets on lines of another file are relative to that file, where they lead somewhere.
    """

    title: str
    steps: list[StepPlan]
    root: str = ""
    mkdocs: bool = False
    fences: FenceReader = read_info
    variables: frozenset[str] = frozenset()
    own_files: frozenset[str] = frozenset()
    roots: tuple[str, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    authors: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    imports: bool = False


def name_steps(steps: list[StepPlan], hints: list[str]) -> None:
    """Give every step its id: from its title, else the file's name in `hints`, made unique in order."""
    taken: set[str] = set()
    for number, (step, hint) in enumerate(zip(steps, hints, strict=True), 1):
        step.id = unique_slug(slug(step.title) or slug(hint) or f"step-{number}", taken)


class _StepIndex:
    """Which step holds which place of which page."""

    def __init__(self, steps: list[StepPlan]) -> None:
        self._pages: dict[str, list[StepPlan]] = {}
        self._fragments: dict[tuple[str, str], tuple[str, str | None]] = {}
        for step in steps:
            self._pages.setdefault(step.page.path, []).append(step)
            self._index(step)

    def _index(self, step: StepPlan) -> None:
        unique = UniqueAnchors("-")
        at_row: list[tuple[int, str]] = []
        for heading in step.page.headings:
            if step.first <= heading.row < step.end:
                anchor = unique.name(heading_slug(heading.text))
                at_row.append((heading.row, anchor))
                for name in heading.names:
                    self._fragments.setdefault((step.page.path, name.lower()), (step.id, anchor))
        for name, row in step.page.anchors.items():
            if step.first <= row < step.end:
                above = [anchor for heading_row, anchor in at_row if heading_row <= row]
                self._fragments.setdefault((step.page.path, name.lower()), (step.id, above[-1] if above else ""))

    def is_page(self, path: str) -> bool:
        return path in self._pages

    def place(self, path: str, fragment: str) -> tuple[str, str | None] | None:
        steps = self._pages.get(path)
        if not steps:
            return None
        if not fragment:
            return steps[0].id, ""
        found = self._fragments.get((path, fragment.lower()))
        if found:
            return found
        if fragment.lower() in ("top", "__top", "__tabbed_1_1"):
            return steps[0].id, ""
        return (steps[0].id, None) if fragment in steps[0].page.moved else None


def assemble(tree: Tree, plan: Plan, *, max_linked_bytes: int = MAX_LINKED_BYTES) -> ImportedWorkshop:
    """Rewrite every page once and cut it into its steps."""
    assets = AssetTable()
    resolver = Resolver(
        tree, _StepIndex(plan.steps), assets, plan.root, max_linked_bytes,
        directory_urls=plan.mkdocs or bool(plan.addresses), variables=plan.variables, own_files=plan.own_files,
        roots=plan.roots, addresses=plan.addresses, imports=plan.imports,
    )  # fmt: skip
    workshop = ImportedWorkshop(title=plan.title, steps=[], summary=plan.summary, authors=plan.authors, tags=plan.tags)
    rewritten: dict[int, Rewritten] = {}
    asides: list[Rewritten] = []
    tags: list[tuple[Line, str]] = []
    for step in plan.steps:
        page = step.page
        if id(page) not in rewritten:
            rewritten[id(page)] = rewrite(
                page.lines, page.path, resolver, attribute_lists=plan.mkdocs, fences=page.fences or plan.fences
            )
            tags += [
                (page.lines[min(row, len(page.lines) - 1)] if page.lines else Line("", page.path, 1), tag)
                for row, tag in page.unknown_tags
            ]
            workshop.losses += page.losses
            workshop.broken += page.broken
        workshop.steps.append(
            _step(
                step,
                rewritten[id(page)],
                resolver,
                page.fences or plan.fences,
                asides,
                first=all(s.page is not page for s in plan.steps[: plan.steps.index(step)]),
            )
        )
    for part in [*rewritten.values(), *asides]:
        workshop.losses += part.losses
        workshop.broken += part.broken
    workshop.losses += macro_losses([*rewritten.values(), *asides], tags)
    workshop.assets = assets.taken
    workshop.chapters = _chapters(plan.steps)
    durations = [step.duration for step in workshop.steps]
    workshop.duration = sum(d for d in durations if d) if durations and all(durations) else None
    return workshop


def _step(
    step: StepPlan, rewritten: Rewritten, resolver: Resolver, fences: FenceReader, asides: list[Rewritten], *, first: bool
) -> ImportedStep:
    lines = trimmed(rewritten.section(step.first, step.end)) or [Line(f"# {step.title}", step.page.path, 0)]
    made = ImportedStep(
        id=step.id, title=step.title, source=step.page.path, content=text_of(lines), runs=runs_of(lines),
        duration=step.minutes or (step.page.front.minutes if first else None),
    )  # fmt: skip
    made.hints = _aside(step, step.page.asides.hints, resolver, fences, asides)
    made.solve = _aside(step, step.page.asides.solutions, resolver, fences, asides)
    made.explain = _aside(step, step.page.asides.explanations, resolver, fences, asides)
    return made


def _aside(
    step: StepPlan, parts: list[tuple[int, list[Line]]], resolver: Resolver, fences: FenceReader, asides: list[Rewritten]
) -> str | None:
    """Hints, solutions or explanations of a step, under the headings that they stood under."""
    mine = [(row, lines) for row, lines in parts if step.first < row <= step.end or row == step.first == 0]
    texts = []
    for row, lines in mine:
        part = rewrite(lines, step.page.path, resolver, fences=fences)
        asides.append(part)
        above = [heading.text for heading in step.page.headings if heading.row < row and heading.row >= step.first]
        label = f"## {above[-1]}\n\n" if above and len(mine) > 1 else ""
        texts.append(label + text_of(trimmed(part.section(0, len(lines)))))
    return "\n".join(texts) or None


def _chapters(steps: list[StepPlan]) -> list[Chapter]:
    chapters: list[tuple[str, list[str]]] = []
    for step in steps:
        if step.chapter and chapters and chapters[-1][0] == step.chapter:
            chapters[-1][1].append(step.id)
        elif step.chapter:
            chapters.append((step.chapter, [step.id]))
    return [Chapter(title=title, steps=ids) for title, ids in chapters]
