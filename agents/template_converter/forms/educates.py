"""Educates workshops, of both kinds that there have been: order and titles from their modules, pages in Markdown or AsciiDoc."""

import posixpath
import re
from dataclasses import dataclass
from typing import Any

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble, name_steps
from agents.template_converter.forms.clickable import Actions, clickable_actions
from agents.template_converter.forms.difficulty import Difficulty, difficulty_of
from agents.template_converter.forms.educates_asciidoc import asciidoc_lines
from agents.template_converter.forms.educates_markup import Markup, page_markup
from agents.template_converter.forms.educates_place import Place, find_workshops, named, place_of
from agents.template_converter.forms.educates_session import (
    check_of,
    session_losses,
    take_bundle,
    take_exercises,
    take_setup,
    unused_tests,
)
from agents.template_converter.forms.frontmatter import FrontMatter, minutes_of, split_front_matter
from agents.template_converter.forms.lines import lines_of
from agents.template_converter.forms.numbering import natural
from agents.template_converter.forms.pages import Page, first_paragraph, make_page
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_documents, load_plain
from agents.template_converter.model import ImportedWorkshop, Tree
from shared_services.contracts.conversion import Broken, Form, FormCandidate, Loss
from shared_services.contracts.workshop import FenceInfo, Variable, parse_fence_info

_PAGES = (".md", ".adoc", ".asciidoc")
_NUMBER = re.compile(r"^\d+[-_. ]*")


@dataclass(frozen=True)
class _Module:
    """A page in the order of the workshop; `title` where the configuration gives one."""

    path: str
    title: str = ""


class EducatesImporter:
    """Recognises and reads Educates workshops."""

    form = Form.EDUCATES

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """Every workshop of the repository; one without pages speaks less for itself."""
        return [self._candidate(tree, folder, said) for folder, said in find_workshops(tree).items()]

    def _candidate(self, tree: Tree, folder: str, said: str) -> FormCandidate:
        pages = len(_content(tree, place_of(tree, folder)))
        score = 0.3 if not pages else 0.45 if signals.is_showcase(folder) else 0.95
        evidence = f"{said} with {pages or 'no'} page{'' if pages == 1 else 's'}."
        return FormCandidate(form=self.form, score=score, path=folder, evidence=[evidence])

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The workshop at `candidate.path`.

        Raises:
            UnreadableSourceError: It has no pages, or its configuration cannot be read.
        """
        folder = candidate.path
        broken: list[Broken] = []
        losses: list[Loss] = []
        place = place_of(tree, folder)
        definition = place.definition
        about, config = _about(tree, definition, losses), _config(tree, place)
        modules = _modules(tree, place, config, broken, losses)
        if not modules:
            raise UnreadableSourceError(f"`{place.content}` holds no page, so there is no step to read.")
        params = _params(config)
        markup = _markup(tree, place, config, set(params))
        read = [_page(tree, module.path, markup, losses, broken) for module in modules]
        steps = [
            StepPlan(page, 0, len(page.lines), module.title or page.title or _words(module.path))
            for module, (page, _) in zip(modules, read, strict=True)
        ]
        name_steps(steps, [_words(module.path) for module in modules])
        spec = _object(about.get("spec"))
        title = _text(spec.get("title")) or _text(config.get("name")) or (steps[0].page.title if len(steps) == 1 else "")
        plan = Plan(title, steps, root=place.content, fences=_as_written, variables=frozenset(markup.variables))
        plan.roots = (place.static,)
        plan.addresses = {_bundle(module.path).casefold(): module.path for module in modules}
        plan.summary = _text(spec.get("description")) or first_paragraph(steps[0].page)
        plan.authors = [_text(one) for one in _rows(spec.get("authors"))] or [
            name for name in [_text(spec.get("author"))] if name
        ]
        plan.tags = [_text(tag) for tag in _rows(spec.get("tags"))]
        workshop = assemble(tree, plan)
        workshop.duration = workshop.duration or minutes_of(spec.get("duration"))
        workshop.difficulty = _difficulty(spec, definition, losses)
        names = sorted(markup.variables | set(params))
        workshop.variables = [Variable(name=name, default=params.get(name)) for name in names]
        for step, (_, actions) in zip(workshop.steps, read, strict=True):
            workshop.losses += actions.losses
            step.check = check_of(tree, place, step, actions.tests, broken)
            take_bundle(tree, step)
        first = workshop.steps[0]
        workshop.losses += [
            *losses,
            *markup.all_losses(),
            *_other_ways(named(tree, posixpath.join(place.home, "config")), config),
        ]
        workshop.losses += unused_tests(tree, place, [test for _, actions in read for test in actions.tests])
        workshop.losses += take_setup(tree, place, first)
        workshop.losses += take_exercises(tree, folder, first)
        workshop.losses += session_losses(tree, definition, spec, first)
        workshop.broken += broken
        return workshop


def _markup(tree: Tree, place: Place, config: dict[str, Any], declared: set[str]) -> Markup:
    hugo = any(posixpath.join(place.home, name) in tree for name in ("config.yaml", "config.yml"))
    return Markup(
        hugo=hugo,
        declared=frozenset(declared),
        pathway=_pathway(config)[0],
        is_static=lambda path: posixpath.join(place.static, path) in tree,
    )


def _load(tree: Tree, path: str) -> dict[str, Any]:
    try:
        value = load_plain(tree.read_text(path))
    except UnsafeYamlError as error:
        raise UnreadableSourceError(f"`{path}` cannot be read: {error}.") from error
    return value if isinstance(value, dict) else {}


def _about(tree: Tree, path: str, losses: list[Loss]) -> dict[str, Any]:
    """The Workshop of a definition, which may hold further objects; one with templates in it is no YAML, and told."""
    if path not in tree:
        return {}
    try:
        documents = [row for row in load_documents(tree.read_text(path)) if isinstance(row, dict)]
    except UnsafeYamlError as error:
        said = f"The definition cannot be read ({error}), so its title, its details and its session are left out."
        losses.append(Loss(kind="session", source=path, line=0, detail=said))
        return {}
    found = next((row for row in documents if row.get("kind") == "Workshop"), documents[0] if documents else {})
    others = ", ".join(_text(row.get("kind")) or "of no kind" for row in documents if row is not found)
    if others:
        said = f"The file holds further objects, which nothing here makes: {others}."
        losses.append(Loss(kind="session", source=path, line=0, detail=said))
    return found


def _difficulty(spec: dict[str, Any], source: str, losses: list[Loss]) -> Difficulty | None:
    word = _text(spec.get("difficulty"))
    found = difficulty_of(word)
    if word and found is None:
        losses.append(Loss(kind="attribute", source=source, line=0, detail=f"The difficulty `{word}` is not known here."))
    return found


def _config(tree: Tree, place: Place) -> dict[str, Any]:
    """What the configuration says: `config.yaml` of the newer kind, `workshop.yaml` and `modules.yaml` of the older one."""
    merged: dict[str, Any] = {}
    for name in ("modules", "workshop", "config"):
        path = named(tree, posixpath.join(place.home, name))
        if path in tree:
            for key, value in _load(tree, path).items():
                if key == "modules" and isinstance(value, dict) and isinstance(merged.get("modules"), dict):
                    merged["modules"] = {**merged["modules"], **value}
                else:
                    merged[key] = value
    return merged


def _content(tree: Tree, place: Place) -> list[str]:
    """Every page, in the order of their paths; a page bundle's `index.md` stands for its folder."""
    found = [
        path
        for path in tree.under(place.content)
        if path.lower().endswith(_PAGES) and not posixpath.basename(path).startswith("_")
    ]
    return sorted(found, key=lambda path: natural(_bundle(path)))


def _bundle(path: str) -> str:
    stem = posixpath.splitext(path)[0]
    return posixpath.dirname(stem) if posixpath.basename(stem) == "index" and posixpath.dirname(stem) else stem


def _modules(tree: Tree, place: Place, config: dict[str, Any], broken: list[Broken], losses: list[Loss]) -> list[_Module]:
    """Pages in the order that is activated; without one, of the pathway or of their paths."""
    pages = _content(tree, place)
    home = place.content
    by_name = {
        name: path
        for path in pages
        for name in {posixpath.relpath(_bundle(path), home), posixpath.relpath(posixpath.splitext(path)[0], home)}
    }
    titles = _titles(config)
    active = _active(config)
    if not active and pages and {by_name.get(name) for name in titles} >= set(pages):
        # Nobody says which are shown, and every page is named: the names' order is the author's.
        active = [name for name in titles if name in by_name]
    if not active:
        return [_Module(path, titles.get(posixpath.relpath(_bundle(path), home), "")) for path in pages]
    chosen = []
    for name in active:
        path = by_name.get(name.strip("/"))
        if path is None:
            detail = f"The order names `{name}`, and there is no such page."
            broken.append(Broken(kind="page", source=place.home, line=0, target=name, detail=detail))
        else:
            chosen.append(_Module(path, titles.get(name, "")))
    detail = "The order does not name this page, so it is no step."
    left = [path for path in pages if all(module.path != path for module in chosen)]
    losses += [Loss(kind="page", source=path, line=0, detail=detail) for path in left]
    return chosen


def _titles(config: dict[str, Any]) -> dict[str, str]:
    modules = config.get("modules")
    if isinstance(modules, dict):
        rows = [(str(name), row) for name, row in modules.items() if isinstance(row, dict)]
    else:
        rows = [(_text(row.get("name") or row.get("path")), row) for row in _rows(modules) if isinstance(row, dict)]
    return {
        name: title
        for name, row in rows
        if (title := _text(row.get("title")) or (_text(row.get("name")) if isinstance(modules, dict) else ""))
    }


def _active(config: dict[str, Any]) -> list[str]:
    modules = config.get("modules")
    named = _rows(modules.get("activate")) if isinstance(modules, dict) else []
    chosen = _pathway(config)[1]
    if not named:
        named = _rows(chosen.get("modules") or chosen.get("steps"))
    if not named:
        named = [row.get("name") or row.get("path") for row in _rows(modules) if isinstance(row, dict)]
    return [_text(name) for name in named if _text(name)]


def _pathway(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The way through the pages that is taken by default, else the first, with its name; empty where there is none."""
    pathways = _object(config.get("pathways"))
    paths = _object(pathways.get("paths"))
    name = _text(pathways.get("default")) or str(next(iter(paths), ""))
    return (name, _object(paths.get(name))) if name else ("", {})


def _other_ways(source: str, config: dict[str, Any]) -> list[Loss]:
    taken = _pathway(config)[0]
    paths = _object(_object(config.get("pathways")).get("paths"))
    return [
        Loss(kind="pathway", source=source, line=0, detail=f"`{name}` is another way through the pages; `{taken}` was taken.")
        for name in map(str, paths)
        if name != taken
    ]


def _page(tree: Tree, path: str, markup: Markup, losses: list[Loss], broken: list[Broken]) -> tuple[Page, Actions]:
    actions = Actions()
    if path.lower().endswith(".md"):
        front, lines = split_front_matter(lines_of(tree.read_text(path), path))
    else:
        lines, findings = asciidoc_lines(tree, path)
        front, lines = FrontMatter(), lines
        losses += findings.losses
        broken += findings.broken
    lines = clickable_actions(page_markup(lines, markup), actions)
    return make_page(path, front, lines, mkdocs=False), actions


def _as_written(info: str, _body: str) -> tuple[FenceInfo, str]:
    """The info strings are in the neutral form by now."""
    return parse_fence_info(info), ""


def _params(config: dict[str, Any]) -> dict[str, str | None]:
    """Names and defaults of the configuration's data variables, of the newer kind (`params`) and the older (`vars`)."""
    rows = [*_rows(config.get("params")), *_rows(_object(config.get("config")).get("vars"))]
    rows += _rows(_pathway(config)[1].get("params"))
    found: dict[str, str | None] = {}
    for row in rows:
        name = _text(row.get("name")) if isinstance(row, dict) else ""
        if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name):
            found[name] = _text(row.get("value")) or None
    for name, value in _object(config.get("vars")).items():
        if str(name) in found:
            found[str(name)] = _text(value) or None
    return found


def _words(path: str) -> str:
    stem = _NUMBER.sub("", posixpath.basename(_bundle(path))) or posixpath.basename(_bundle(path))
    return " ".join(re.split(r"[-_\s]+", stem)).strip().capitalize() or "Step"


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return " ".join(str(value).split()) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
