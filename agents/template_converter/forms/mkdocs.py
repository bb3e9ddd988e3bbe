"""MkDocs and Zensical workshops: the navigation of the configuration is the order, its sections are the chapters."""

import posixpath
import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble, name_steps
from agents.template_converter.forms.difficulty import difficulty_of
from agents.template_converter.forms.frontmatter import minutes_of
from agents.template_converter.forms.judging import beside_a_program, parts_of_a_program
from agents.template_converter.forms.numbering import natural
from agents.template_converter.forms.pages import first_paragraph, load_page
from agents.template_converter.forms.snippets import Snippets
from agents.template_converter.forms.step_files import with_files
from agents.template_converter.forms.unlisted import may_be_step
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.model import ImportedWorkshop, Tree
from shared_services.contracts.conversion import Broken, Form, FormCandidate, Loss

_ZENSICAL = "zensical.toml"
_NAMES = (_ZENSICAL, "mkdocs.yml", "mkdocs.yaml")
"""Of several in one folder the first is the site's: Zensical reads the older ones where its own is not there."""
_INDEX = ("index.md", "readme.md")
_TRANSLATED = re.compile(r"(?P<page>.+)\.(?P<language>[a-z]{2}(?:[-_][A-Za-z]{2,4})?)\.md$")
_MAX_NAV = 5000
_MAX_UNLISTED = 40
_GUIDES = frozenset({"tutorial", "tutorials", "training", "step-by-step", "step by step", "walkthrough"})
_COUNTED = re.compile(
    r"^\W*(?!(?:19|20)\d\d[-._\s]\d\d?(?!\d))\d+[.):\s-]"
    r"|^\W*(?:lab|step|exercise|module|part|task|challenge|lesson|chapter|day)\b[\s#-]*\d",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class NavEntry:
    """A page of the navigation: its path in the tree, the title given there, the titles of the sections around it."""

    path: str
    title: str
    sections: tuple[str, ...]
    line: int = 0


@dataclass
class Site:
    """What `mkdocs.yml` says, and what of its navigation is no page."""

    config: str
    title: str
    summary: str
    authors: list[str]
    docs: str
    entries: list[NavEntry] = field(default_factory=list)
    snippet_bases: list[str] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


class MkDocsImporter:
    """Recognises and reads MkDocs sites whose pages instruct."""

    form = Form.MKDOCS

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """One reading for each configuration that counts; documentation sites among them score low."""
        found = []
        program = signals.code(tree)
        homes = {posixpath.dirname(path): path for path in signals.visible(tree) if posixpath.basename(path) in _NAMES}
        for config in (_config(tree, home) or path for home, path in homes.items()):
            try:
                candidate = _judge(tree, read_site(tree, config), program)
            except UnreadableSourceError as error:
                candidate = FormCandidate(form=Form.MKDOCS, score=0.3, path=posixpath.dirname(config), evidence=[error.detail])
            if candidate.path and signals.is_showcase(candidate.path):
                candidate = candidate.model_copy(update={"score": min(candidate.score, 0.45)})
            found.append(candidate)
        return found

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The site at `candidate.path`.

        Raises:
            UnreadableSourceError: The configuration cannot be read, or names no page.
        """
        config = _config(tree, candidate.path)
        if config is None:
            raise UnreadableSourceError(f"There is no mkdocs.yml or {_ZENSICAL} in `{candidate.path or 'the source'}`.")
        site = read_site(tree, config)
        if not site.entries:
            raise UnreadableSourceError(f"The navigation of `{config}` names no Markdown page that is there.")
        snippets = Snippets(tree, site.snippet_bases, site.docs)
        steps: list[StepPlan] = []
        for entry in site.entries:
            page = load_page(tree, entry.path, snippets=snippets)
            title = entry.title or page.title or posixpath.basename(entry.path).rpartition(".")[0]
            steps.append(StepPlan(page, 0, len(page.lines), title, chapter=" / ".join(entry.sections)))
        name_steps(steps, [_file_words(entry.path) for entry in site.entries])
        summary = site.summary or first_paragraph(steps[0].page)
        plan = Plan(site.title, steps, root=site.docs, mkdocs=True, summary=summary, authors=site.authors)
        plan.imports = bool(snippets.drawn)
        workshop = assemble(tree, plan)
        workshop.tags = _texts(site.told.get("tags"))
        workshop.difficulty = difficulty_of(site.told.get("difficulty"))
        workshop.duration = minutes_of(site.told.get("duration")) or workshop.duration
        _scripts(tree, site, workshop)
        workshop.losses += [*site.losses, *snippets.losses, *_unlisted(tree, site, snippets)]
        workshop.broken += [*site.broken, *snippets.broken]
        return workshop


def _config(tree: Tree, folder: str) -> str | None:
    return next((path for name in _NAMES if (path := posixpath.join(folder, name)) in tree), None)


def _unlisted(tree: Tree, site: Site, snippets: Snippets) -> list[Loss]:
    """Pages that the site has and its navigation does not name; what pages draw in is no page of its own."""
    listed = {entry.path for entry in site.entries}
    found = [
        entry.path for entry in _by_name(tree, site.docs) if entry.path not in listed | snippets.drawn and may_be_step(entry.path)
    ]
    translated = {
        path: match["language"] for path in found if (match := _TRANSLATED.match(path)) and f"{match['page']}.md" in listed
    }
    found = [path for path in found if path not in translated]
    detail = "The navigation does not name the page, so it is no step."
    rows = [Loss(kind="page", source=path, line=0, detail=detail) for path in found[:_MAX_UNLISTED]]
    if translated:
        languages = ", ".join(f"`{language}`" for language in sorted(set(translated.values())))
        many = "page is a translation of a step" if len(translated) == 1 else "pages are translations of steps"
        said = f"{len(translated)} {many} ({languages}) and left out."
        rows.append(Loss(kind="page", source=site.docs, line=0, detail=said))
    if len(found) > _MAX_UNLISTED:
        more = f"The navigation does not name {len(found) - _MAX_UNLISTED} further pages of `{site.docs}`; they are no steps."
        rows.append(Loss(kind="page", source=site.config, line=0, detail=more))
    return rows


def _scripts(tree: Tree, site: Site, workshop: ImportedWorkshop) -> None:
    """What `extra.workshop.scripts` names for a page: `{PAGE: {check: PATH, setup: PATH, quiz: PATH, files: FOLDER}}`."""
    folder = posixpath.dirname(site.config)
    scripts = site.told.get("scripts")
    for page, named in scripts.items() if isinstance(scripts, dict) else ():
        path = posixpath.normpath(posixpath.join(site.docs, str(page)))
        step = next((step for step in workshop.steps if step.source == path), None)
        for kind in ("check", "setup", "quiz", "files"):
            target = _text(named.get(kind)) if isinstance(named, dict) else ""
            script = posixpath.normpath(posixpath.join(folder, target))
            if target and step is not None and kind == "files":
                step.files |= {f"files/{path[len(script) + 1 :]}": tree.read_bytes(path) for path in tree.under(script)}
            elif target and step is not None and script in tree:
                if kind == "quiz":
                    step.files["quiz.yaml"] = tree.read_bytes(script)
                    continue
                text, files = with_files(tree, script)
                setattr(step, kind, text)
                step.files |= files
            elif target:
                detail = f"The page {page} or its script `{target}` is not there."
                workshop.broken.append(Broken(kind="check", source=site.config, line=0, target=target, detail=detail))


def read_site(tree: Tree, config: str) -> Site:
    """Read a configuration and its navigation.

    Raises:
        UnreadableSourceError: Neither YAML nor TOML that is read here.
    """
    folder = posixpath.dirname(config)
    values = _load(tree, config)
    inherited = values.get("INHERIT")
    if isinstance(inherited, str) and (base := posixpath.normpath(posixpath.join(folder, inherited))) in tree:
        values = {**_load(tree, base), **values}
    docs = _join(folder, _text(values.get("docs_dir")) or "docs")
    site = Site(
        config, _text(values.get("site_name")) or posixpath.basename(folder), _text(values.get("site_description")), [], docs
    )
    site.authors = [author] if (author := _text(values.get("site_author"))) else []
    site.snippet_bases = [*_snippet_bases(values.get("markdown_extensions"), folder), docs]
    extra = values.get("extra")
    told = extra.get("workshop") if isinstance(extra, dict) else None
    site.told = told if isinstance(told, dict) else {}
    site.authors = _texts(site.told.get("authors")) or site.authors
    nav = values.get("nav")
    if nav is None:
        nav = values.get("pages")
    if isinstance(nav, list):
        _Nav(tree, site, tree.read_text(config).split("\n")).walk(nav, (), 0)
    else:
        site.entries = _by_name(tree, docs)
    return site


def _load(tree: Tree, path: str) -> dict[str, Any]:
    try:
        values = _project(tree.read_text(path)) if path.endswith(".toml") else load_plain(tree.read_text(path))
    except (UnsafeYamlError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnreadableSourceError(f"`{path}` cannot be read: {error}.") from error
    if not isinstance(values, dict):
        raise UnreadableSourceError(f"`{path}` holds no settings.")
    return values


def _project(text: str) -> object:
    """The part of Zensical's configuration that `mkdocs.yml` is in MkDocs."""
    return tomllib.loads(text).get("project", {})


def _snippet_bases(extensions: object, folder: str) -> list[str]:
    bases: list[str] = []
    for extension in extensions if isinstance(extensions, list) else [extensions]:
        options = extension.get("pymdownx.snippets") if isinstance(extension, dict) else None
        parted = extension.get("pymdownx") if isinstance(extension, dict) else None
        options = parted.get("snippets") if isinstance(parted, dict) else options
        base = options.get("base_path") if isinstance(options, dict) else None
        bases += [_join(folder, _text(row)) for row in (base if isinstance(base, list) else [base]) if _text(row)]
    return bases or [folder]


@dataclass
class _Nav:
    tree: Tree
    site: Site
    config_lines: list[str]
    seen: set[str] = field(default_factory=set)
    count: int = 0
    line: int = 0

    def walk(self, rows: list[Any], sections: tuple[str, ...], depth: int) -> None:
        for row in rows:
            self.count += 1
            if self.count > _MAX_NAV or depth > 20:
                self._lose(0, "The navigation is deeper or longer than can be read; the rest of it is left out.")
                return
            if isinstance(row, str):
                self._page("", row, sections)
            elif isinstance(row, dict):
                for title, value in row.items():
                    if isinstance(value, list):
                        self.walk(value, (*sections, _text(title)), depth + 1)
                    else:
                        self._page(_text(title), _text(value), sections)

    def _page(self, title: str, target: str, sections: tuple[str, ...]) -> None:
        line = self._line_of(target)
        if not target:
            self._lose(line, f"The navigation's entry “{title}” leads to no page.")
        elif re.match(r"^(?:[A-Za-z][\w+.-]*:)?//|^mailto:", target):
            self._lose(line, f"The navigation's entry “{title}” leads to {target}, which is no page of the workshop.")
        elif target in ("...",) or "*" in target:
            self._lose(line, f"The navigation's `{target}` stands for pages by a plugin's rule, which is not followed.")
        else:
            self._file(title, target, sections, line)

    def _line_of(self, target: str) -> int:
        """The next line of the configuration that holds `target`: entries are met in the file's order."""
        rows = enumerate(self.config_lines[self.line :], self.line + 1)
        found = next((number for number, text in rows if target and target in text), 0)
        self.line = found or self.line
        return found

    def _file(self, title: str, target: str, sections: tuple[str, ...], line: int) -> None:
        path = posixpath.normpath(posixpath.join(self.site.docs, target.partition("#")[0].lstrip("/")))
        if path not in self.tree:
            folder = f"{path}/"
            below = [row for row in _by_name(self.tree, path) if row.path.startswith(folder)]
            for row in below:
                self._add(NavEntry(row.path, "", (*sections, title) if title else sections, line))
            if not below:
                why = f": {self.tree.absent[path]}" if path in self.tree.absent else ""
                self.site.broken.append(
                    Broken(
                        kind="page",
                        source=self.site.config,
                        line=line,
                        target=target,
                        detail=f"The navigation names `{path}`, which is not there{why}.",
                    )
                )
        elif not path.lower().endswith(signals.MARKDOWN):
            self._lose(line, f"The navigation's `{target}` is not a Markdown page and is left out.")
        else:
            self._add(NavEntry(path, title, sections, line))

    def _add(self, entry: NavEntry) -> None:
        if entry.path in self.seen:
            self._lose(entry.line, f"The navigation names `{entry.path}` again; it is one step, at its first place.")
            return
        self.seen.add(entry.path)
        self.site.entries.append(entry)

    def _lose(self, line: int, detail: str) -> None:
        self.site.losses.append(Loss(kind="page", source=self.site.config, line=line, detail=detail))


def _by_name(tree: Tree, folder: str) -> list[NavEntry]:
    """Every page below `folder`, index pages first, folders as sections."""
    paths = [path for path in tree.under(folder) if path.lower().endswith(signals.MARKDOWN) and signals.counts(path)]

    def key(path: str) -> list[Any]:
        *folders, name = path[len(folder) :].strip("/").split("/")
        own = (0, []) if name.lower() in _INDEX else (1, natural(name))
        return [*((1, natural(part)) for part in folders), own]

    return [
        NavEntry(path, "", tuple(_file_words(part) for part in path[len(folder) :].strip("/").split("/")[:-1]))
        for path in sorted(paths, key=key)
    ]


def _judge(tree: Tree, site: Site, program: signals.Code) -> FormCandidate:
    folder = posixpath.dirname(site.config)
    facts = [signals.instructing(tree.read_text(entry.path)) for entry in site.entries]
    evidence = [f"`{site.config}` with a navigation of {signals.amount(len(facts), 'page')}."]
    if not facts:
        return FormCandidate(form=Form.MKDOCS, score=0.2, path=folder, evidence=evidence)
    blocks = sum(fact.blocks for fact in facts)
    commands, instruct = sum(fact.commands for fact in facts), sum(fact.instructs for fact in facts)
    evidence.append(
        f"{instruct} of {len(facts)} pages instruct, with {signals.amount(blocks, 'code block')}, "
        f"{commands} of them shell commands."
    )
    counted = [
        entry
        for entry in site.entries
        if _COUNTED.match(entry.title) or any(map(_COUNTED.match, entry.sections)) or _numbered_path(entry.path)
    ]
    home = signals.opening(tree.read_text(site.entries[0].path))
    words = signals.workshop_words(f"{site.title} {site.summary} {home}")
    named = [entry for entry in site.entries if signals.workshop_words(_said_of(entry, site.docs))]
    share = len({entry.path for entry in [*counted, *named]}) / len(facts)
    score = 0.2 + 0.25 * min(1.0, instruct / len(facts) / 0.5) + (0.3 if words else 0) + (0.25 if share >= 0.3 else 0)
    if share >= 0.3:
        evidence.append(f"{len(counted)} pages of the navigation are counted and {len(named)} are named as labs or exercises.")
    if words:
        evidence.append(f"The site speaks of {', '.join(f'“{word}”' for word in words[:4])}.")
    if not (words or share >= 0.3):
        score = min(score, 0.4)
        evidence.append("Nothing says that it is a workshop or tutorial.")
    elif _documents_a_program(program, share, len(counted) / len(facts), words):
        score = min(score, 0.4)
        evidence.append(f"It documents a program (`{program.build_files[0]}`), tutorials included.")
    beside = beside_a_program(folder, words, program) or parts_of_a_program([row.path for row in site.entries], share, program)
    if beside:
        score = min(score, 0.4)
        evidence.append(beside)
    if len(site.broken) > len(facts):
        score = min(score, 0.4)
        evidence.append(f"{len(site.broken)} pages of its navigation are not there.")
    if instruct == 0:
        score = min(score, 0.3)
    if _text(site.told.get("slug")):
        score = 0.95
        evidence.append("It says in `extra.workshop` that it is a workshop.")
    return FormCandidate(form=Form.MKDOCS, score=round(min(score, 0.98), 2), path=folder, evidence=evidence)


def _said_of(entry: NavEntry, docs: str) -> str:
    """A page's title, its sections and its folders, as words."""
    folders = posixpath.dirname(entry.path.removeprefix(docs)).replace("/", " ").replace("-", " ")
    return " ".join([entry.title, *entry.sections, folders])


def _documents_a_program(program: signals.Code, named: float, counted: float, words: list[str]) -> bool:
    """Whether tutorials are a part of a program's documentation, rather than the program a part of a tutorial."""
    only_guides = counted < 0.3 and _GUIDES.issuperset(words)
    return bool(program.build_files) and only_guides and (program.is_library or named < 0.5)


def _numbered_path(path: str) -> bool:
    return any(_COUNTED.match(_file_words(part)) for part in path.split("/"))


def _file_words(path: str) -> str:
    name = posixpath.basename(path)
    stem = name.rpartition(".")[0] if name.lower().endswith(signals.MARKDOWN) else name
    if stem.lower() in ("index", "readme"):
        stem = posixpath.basename(posixpath.dirname(path)) or stem
    return " ".join(re.split(r"[-_\s]+", stem)).strip() or "page"


def _join(folder: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined


def _text(value: object) -> str:
    return " ".join(str(value).split())[:500] if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _texts(value: object) -> list[str]:
    return [text for text in map(_text, value) if text] if isinstance(value, list) else []
