"""A Hugo site as its files say it: configuration, languages, and the pages in the order of the site's menu."""

import posixpath
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.frontmatter import FrontMatter, split_front_matter
from agents.template_converter.forms.json_safely import load_json
from agents.template_converter.forms.lines import Line, lines_of
from agents.template_converter.forms.numbering import natural
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.model import Tree
from shared_services.contracts.conversion import Loss

STUDIO = ("contentspec.yaml", "contentspec.yml")
"""Configurations of AWS Workshop Studio, whose content lies as Hugo's does, but that each folder's page is its `index`."""
NAMES = (*STUDIO, "hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json", "config.toml", "config.yaml", "config.yml", "config.json")
_SPEAKS = re.compile(r"baseurl|languagecode|contentdir|\btheme\b|\[?params", re.IGNORECASE)
_LANGUAGE = re.compile(r"^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$", re.IGNORECASE)
_FULL_ENOUGH = 0.5
"""The default language is taken unless another one has more than twice its text."""
_LAST = 10**9
_FEW_SECTIONS = 3
_MANY_SECTIONS = 50


@dataclass
class HugoPage:
    """A page of the site.

    Attributes:
        section: Folders from the content folder to the one that it stands in; its own for the page of a section.
        lines: What follows the front matter.
        by_path: Whether its path decides among siblings of one weight, rather than its date and title.
    """

    path: str
    section: tuple[str, ...]
    front: FrontMatter
    lines: list[Line]
    branch: bool = False
    by_path: bool = False

    @property
    def title(self) -> str:
        """As the menu shows it."""
        values = self.front.values
        return str(values.get("linktitle") or values.get("menutitle") or self.front.title or "").strip()

    @property
    def draft(self) -> bool:
        """Whether Hugo leaves it out of the site."""
        build = self.front.values.get("_build", self.front.values.get("build"))
        never = isinstance(build, dict) and str(build.get("render", "")).lower() in ("never", "false")
        return self.front.values.get("draft") is True or self.front.values.get("headless") is True or never

    @property
    def hidden(self) -> bool:
        """Whether the menu leaves it out."""
        return self.front.values.get("hidden") is True or self.front.values.get("toc_hide") is True

    @property
    def order(self) -> tuple[Any, ...]:
        """A sort key among its siblings, as Hugo sorts: by weight (none comes last), newest date, title, path."""
        weight = self.front.values.get("weight")
        number = weight if isinstance(weight, int | float) and not isinstance(weight, bool) and weight else _LAST
        if self.by_path:
            return (number, "", "", natural(self.path))
        date = "".join(chr(0x10FFFF - ord(char)) for char in str(self.front.values.get("date") or "")) or "\U0010ffff"
        return (number, date, self.title.casefold() or "\U0010ffff", natural(self.path))


@dataclass
class HugoSite:
    """What a folder with a Hugo configuration holds.

    Attributes:
        folder: Where the configuration is; empty for the top.
        content: Folder of the chosen language's pages.
        pages: Visible ones, in the menu's order.
        all_pages: Hidden ones and drafts too, by path.
        left_out: A sentence for each page that is no step.
    """

    folder: str
    config: str
    title: str
    values: dict[str, Any]
    content: str = ""
    language: str = ""
    pages: list[HugoPage] = field(default_factory=list)
    all_pages: dict[str, HugoPage] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)

    @property
    def studio(self) -> bool:
        """Whether it is a workshop of AWS Workshop Studio."""
        return _name(self.config) in STUDIO

    @property
    def modules(self) -> frozenset[str] | None:
        """Modules of a training that the configuration switches on; None where it speaks of none."""
        enabled = self.params.get("enabledmodule")
        return frozenset(enabled.split()) if isinstance(enabled, str) else None

    @property
    def params(self) -> dict[str, Any]:
        """The site's parameters, keys in lower case."""
        found = self.values.get("params")
        return _lowered(found) if isinstance(found, dict) else {}


def configurations(tree: Tree) -> Iterator[tuple[str, str]]:
    """`(folder, configuration)` of each Hugo site that counts; a folder of configurations counts once."""
    seen: set[str] = set()
    for path in sorted(
        signals.visible(tree), key=lambda row: (row.count("/"), NAMES.index(_name(row)) if _name(row) in NAMES else 99, row)
    ):
        if _name(path) not in NAMES:
            continue
        above = posixpath.dirname(path)
        folder = posixpath.dirname(posixpath.dirname(above)) if above.endswith("config/_default") else above
        if folder in seen or not (
            _name(path).startswith("hugo") or _name(path) in STUDIO or _SPEAKS.search(tree.read_text(path)[:20_000])
        ):
            continue
        if _name(path) in STUDIO and not _studio_content(tree, folder):
            continue
        if any(row.lower().endswith(signals.MARKDOWN) for row in tree.under(posixpath.join(folder, "content"))) or _content_dirs(
            tree, path
        ):
            seen.add(folder)
            yield folder, path
    if "" not in seen and (home := _home_without_configuration(tree)):
        yield "", home


def _home_without_configuration(tree: Tree) -> str:
    """The first page of a site at the top whose configuration is added when it is built; empty where there is none.

    Sections with a page of their own, each with its place among the others, are Hugo's alone.
    """
    heads = [path for path in tree.under("content") if _name(path) in ("_index.md", "_index.en.md")]
    homes = [path for path in heads if posixpath.dirname(path) == "content"]
    if any(_name(path) in NAMES and "/" not in path for path in tree.files) or len(heads) < _FEW_SECTIONS or not homes:
        return ""
    fronts = [split_front_matter(lines_of(tree.read_text(path), path))[0] for path in heads[:_MANY_SECTIONS]]
    return homes[0] if sum("weight" in front.values for front in fronts) * 2 >= len(fronts) else ""


def read_site(tree: Tree, folder: str, config: str) -> HugoSite:
    """The site of a configuration.

    Raises:
        UnreadableSourceError: The configuration cannot be read.
    """
    page = config.lower().endswith(signals.MARKDOWN)
    values: dict[str, Any] = (
        {"title": split_front_matter(lines_of(tree.read_text(config), config))[0].title} if page else _load(tree, config)
    )
    if _name(config) in STUDIO:
        values = _studio_values(tree, folder, values)
    if posixpath.dirname(config).endswith("config/_default"):
        for name in ("params", "languages"):
            beside = [posixpath.join(posixpath.dirname(config), f"{name}{end}") for end in (".toml", ".yaml", ".yml", ".json")]
            found = next((path for path in beside if path in tree), None)
            if found and name not in values:
                values[name] = _load(tree, found)
    site = HugoSite(folder, config, _text(values.get("title")), values)
    _choose_language(tree, site)
    site.pages = list(_Menu(site).walk())
    return site


def _studio_content(tree: Tree, folder: str) -> bool:
    """Whether the content is laid out as Workshop Studio wants it; a Hugo site may have a content specification beside it."""
    names = {_name(path) for path in tree.under(posixpath.join(folder, "content"))}
    return any(re.fullmatch(r"index(?:\.[a-z]{2})?\.md", name) for name in names) and not any(
        name.startswith("_index.") for name in names
    )


def _studio_values(tree: Tree, folder: str, values: dict[str, Any]) -> dict[str, Any]:
    """What a content specification says, in Hugo's words; languages are also those that pages name."""
    default = _text(values.get("defaultlocalecode")).partition("-")[0].lower() or "en"
    codes = values.get("localecodes")
    named = [_text(code).partition("-")[0].lower() for code in codes] if isinstance(codes, list) else []
    indexes = (re.fullmatch(r"index\.([a-z]{2})\.md", _name(path)) for path in tree.under(posixpath.join(folder, "content")))
    languages = {*filter(None, named), default, *(match[1] for match in indexes if match)}
    return {"defaultcontentlanguage": default, "languages": {language: {} for language in sorted(languages)}}


def _load(tree: Tree, path: str) -> dict[str, Any]:
    text = tree.read_text(path)
    try:
        if path.endswith(".toml"):
            values = tomllib.loads(text)
        elif path.endswith(".json"):
            values = load_json(text)
        else:
            values = load_plain(text)
    except (tomllib.TOMLDecodeError, UnsafeYamlError, ValueError, RecursionError) as error:
        raise UnreadableSourceError(f"`{path}` cannot be read: {error}.") from error
    return _lowered(values) if isinstance(values, dict) else {}


def _content_dirs(tree: Tree, config: str) -> bool:
    try:
        values = _load(tree, config)
    except UnreadableSourceError:
        return False
    folder = posixpath.dirname(config)
    named = _text(values.get("contentdir"))
    return bool(named) and any(
        row.lower().endswith(signals.MARKDOWN) for row in tree.under(posixpath.normpath(posixpath.join(folder, named)))
    )


def _choose_language(tree: Tree, site: HugoSite) -> None:
    """Read the pages of the default language, or of the fullest one where that has hardly any."""
    base = posixpath.normpath(posixpath.join(site.folder, _text(site.values.get("contentdir")) or "content"))
    default = (_text(site.values.get("defaultcontentlanguage")) or "en").lower()
    configured = site.values.get("languages")
    languages = (
        {str(name).lower(): _lowered(each) for name, each in configured.items() if isinstance(each, dict)}
        if isinstance(configured, dict)
        else {}
    )
    known = set(languages) | {default}
    found: dict[str, dict[str, HugoPage]] = {}
    for language in [default, *sorted(set(languages) - {default})]:
        own = _text(languages.get(language, {}).get("contentdir"))
        home = posixpath.normpath(posixpath.join(site.folder, own)) if own else base
        inner = posixpath.join(base, language)
        if not own and len(known) > 1 and next(tree.under(inner), None) is not None:
            home = inner
        found[language] = _pages(tree, home, language, known, is_default=language == default, studio=site.studio)
    sizes = {language: sum(len(line.text) for page in pages.values() for line in page.lines) for language, pages in found.items()}
    fullest = max(sizes, key=lambda language: (sizes[language], language == default))
    chosen = default if sizes[default] >= _FULL_ENOUGH * sizes[fullest] else fullest
    site.language, site.all_pages = chosen, found[chosen]
    site.content = posixpath.commonpath([posixpath.dirname(path) for path in found[chosen]]) if found[chosen] else base
    if site.content != base and not site.content.startswith(f"{base}/"):
        site.content = site.content or base
    else:
        site.content = (
            posixpath.join(base, chosen) if site.content.startswith(posixpath.join(base, chosen)) and len(known) > 1 else base
        )
    own = _text(languages.get(chosen, {}).get("contentdir"))
    if own:
        site.content = posixpath.normpath(posixpath.join(site.folder, own))
    for page in site.all_pages.values():
        page.section = _section(page, site.content)
    title = _text(languages.get(chosen, {}).get("title"))
    site.title = title or site.title
    others = {language: len(pages) for language, pages in found.items() if language != chosen and sizes[language]}
    if chosen != default:
        site.losses.append(
            _loss(site.config, f"The default language `{default}` has hardly any text; `{chosen}` is read in its place.")
        )
    for language, count in others.items():
        site.losses.append(
            _loss(
                site.config, f"The site has {signals.amount(count, 'page')} in the language `{language}` too; `{chosen}` is read."
            )
        )


def _pages(
    tree: Tree, home: str, language: str, known: set[str], *, is_default: bool, studio: bool = False
) -> dict[str, HugoPage]:
    """The pages of a language below `home`: those that name it in their ending, and for the default one those that name none."""
    found: dict[str, HugoPage] = {}
    bundles = {
        posixpath.dirname(path)
        for path in tree.under(home)
        if re.fullmatch(r"index(?:\.[\w-]+)?\.(?:md|markdown)", _name(path).lower())
    }
    for path in tree.under(home):
        name = _name(path)
        if not name.lower().endswith(signals.MARKDOWN) or name.startswith("."):
            continue
        stem = name.rpartition(".")[0]
        suffix = stem.rpartition(".")[2].lower() if "." in stem else ""
        named = suffix if suffix in known and _LANGUAGE.match(suffix) else ""
        if (named or (language if is_default or home.endswith(f"/{language}") else "")) != language:
            continue
        plain = stem.rpartition(".")[0] if named else stem
        if not named and f"{posixpath.dirname(path)}/{stem}.{language}.md".lstrip("/") in tree:
            continue
        inside = next((folder for folder in _above(path) if folder in bundles), None)
        if not studio and inside is not None and not (plain == "index" and inside == posixpath.dirname(path)):
            # A file of a leaf bundle belongs to its page.
            continue
        front, lines = split_front_matter(lines_of(tree.read_text(path), path))
        found[path] = HugoPage(path, (), front, lines, branch=plain == ("index" if studio else "_index"), by_path=studio)
    return found


def _above(path: str) -> Iterator[str]:
    while path:
        path = posixpath.dirname(path)
        yield path


def _section(page: HugoPage, content: str) -> tuple[str, ...]:
    folder = posixpath.dirname(page.path)
    parts = tuple(part for part in posixpath.relpath(folder, content or ".").split("/") if part != ".")
    bundle = re.fullmatch(r"index(?:\.[\w-]+)?\.(?:md|markdown)", _name(page.path).lower())
    return parts[:-1] if bundle and parts and not page.branch else parts


class _Menu:
    """The pages in the menu's order: a section's own page, then its pages and sections; what is left out is told."""

    def __init__(self, site: HugoSite) -> None:
        self._site = site
        self._branches = {page.section: page for page in site.all_pages.values() if page.branch}
        self._single: dict[tuple[str, ...], list[HugoPage]] = {}
        for page in site.all_pages.values():
            if not page.branch:
                self._single.setdefault(page.section, []).append(page)
        self._sections: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for section in {*self._branches, *self._single}:
            for depth in range(len(section)):
                self._sections.setdefault(section[:depth], set()).add(section[: depth + 1])

    def walk(self, section: tuple[str, ...] = (), *, hidden: bool = False) -> Iterator[HugoPage]:
        own = self._branches.get(section)
        if own is not None:
            yield from self._shown(own, hidden=hidden)
        hidden = hidden or (own is not None and (own.hidden or self._elsewhere(own)))
        rows: list[tuple[tuple[Any, ...], HugoPage | tuple[str, ...]]] = [
            (page.order, page) for page in self._single.get(section, [])
        ]
        rows += [(self._order(inner), inner) for inner in self._sections.get(section, ())]
        for _, row in sorted(rows, key=lambda each: each[0]):
            if isinstance(row, tuple):
                yield from self.walk(row, hidden=hidden)
            else:
                yield from self._shown(row, hidden=hidden)

    def _order(self, section: tuple[str, ...]) -> tuple[Any, ...]:
        head = self._branches.get(section)
        return head.order if head else (_LAST, "\U0010ffff", section[-1].casefold(), natural("/".join(section)))

    def _elsewhere(self, page: HugoPage) -> bool:
        """Whether a training shows the page to others than the modules that its configuration switches on."""
        enabled = self._site.modules
        only, never = (set(_text(page.front.values.get(name)).split()) for name in ("onlywhen", "onlywhennot"))
        return enabled is not None and (bool(only and not only & enabled) or bool(never & enabled))

    def _shown(self, page: HugoPage, *, hidden: bool) -> Iterator[HugoPage]:
        if page.draft:
            self._site.losses.append(_loss(page.path, "The page is a draft, so it is no step."))
        elif not hidden and self._elsewhere(page):
            self._site.losses.append(_loss(page.path, "The site shows the page with other modules alone, so it is no step."))
        elif hidden or page.hidden:
            self._site.losses.append(_loss(page.path, "The menu does not show the page, so it is no step."))
        else:
            yield page


def _loss(source: str, detail: str) -> Loss:
    return Loss(kind="page", source=source, line=0, detail=detail)


def _lowered(values: dict[Any, Any]) -> dict[str, Any]:
    return {str(key).lower(): value for key, value in values.items()}


def _text(value: object) -> str:
    return " ".join(str(value).split())[:300] if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _name(path: str) -> str:
    return posixpath.basename(path)
