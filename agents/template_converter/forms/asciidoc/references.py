"""What links, cross references and images of a page mean once the pages are steps."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from agents.template_converter.forms.asciidoc.antora import Place, Site, normal, resolve
from agents.template_converter.forms.links import AssetTable
from agents.template_converter.model import Tree
from shared_services.asciidoc.lines import Line
from shared_services.asciidoc.pages import Page
from shared_services.asciidoc.preprocess import Findings

_HOST = re.compile(r"^[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|dev|local|svc|test|edu|gov)(?:[:/]|$)|^localhost\b")
_SCHEME = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|//|\{\{)")


@dataclass
class References:
    """Everything that the pages of one workshop refer to.

    Attributes:
        steps: Page path -> step id.
        pages: Page path -> the page read.
        load: Reads a page outside the navigation, for its title.
        variables: Run-time variables met, in order, with the place of their first use.
    """

    tree: Tree
    site: Site
    findings: Findings
    assets: AssetTable
    steps: dict[str, str] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    load: Callable[[str], Page | None] = lambda _path: None
    variables: dict[str, Line] = field(default_factory=dict)


@dataclass
class PageReferences:
    """The surroundings of one page's inline markup.

    Attributes:
        quiet: While learning titles nothing is reported and nothing is copied.
    """

    shared: References
    page: str
    place: Place
    quiet: bool = False

    def lose(self, kind: str, line: Line, detail: str) -> None:
        """Report something that does not come through."""
        if not self.quiet:
            self.shared.findings.lose(kind, line, detail)

    def _break(self, kind: str, line: Line, target: str, detail: str) -> None:
        if not self.quiet:
            self.shared.findings.break_(kind, line, target, detail)

    def variable(self, name: str, line: Line) -> str:
        """Take note of a run-time variable."""
        if not self.quiet:
            self.shared.variables.setdefault(name, line)
        return f"{{{{{name}}}}}"

    def _asset(self, path: str) -> str:
        return path if self.quiet else self.shared.assets.add(path)

    def _resolve(self, target: str, family: str) -> str | None:
        return resolve(self.shared.tree, self.shared.site, self.place, target, family)

    def image(self, target: str, line: Line) -> str | None:
        """The destination of an image; None where it is missing, which is reported."""
        if _SCHEME.match(target) and not re.match(r"^[\w.-]*:[\w.-]*:|^[A-Za-z][\w-]*:[^/]", target):
            return target
        path = self._find_image(target, line)
        if path is not None:
            return self._asset(path)
        absent = next((name for name in self.shared.tree.absent if name.endswith(f"/{target}")), None)
        if absent:
            self.lose("image", line, f"`{absent}` is not in the checkout: {self.shared.tree.absent[absent]}.")
        elif re.match(r"^(?:data|https?):", target):
            return target
        else:
            self._break("image", line, target, "There is no such image.")
        return None

    def _find_image(self, target: str, line: Line) -> str | None:
        for name in dict.fromkeys((target, unquote(target), target.lstrip("/"))):
            found = self._resolve(name, "image")
            if found is not None:
                return found
            folder = line.attributes.get("imagesdir", "")
            root = self.place.component.path("modules", self.place.module)
            for base in (
                f"{self.place.folder}/{folder}",
                f"{root}/{folder}",
                self.place.folder,
                root,
                self.place.component.root,
                "",
            ):
                path = normal(f"{base}/{name}")
                if path is not None and path in self.shared.tree:
                    return path
        return None

    def link(self, target: str, line: Line) -> str | None:
        """The destination of a link; None where it leads nowhere, which is reported."""
        if target.startswith("#"):
            return self.xref(target, line)[0]
        if not target or _SCHEME.match(target) or target.startswith("/"):
            return target
        path, hash_, fragment = target.partition("#")
        path = unquote(path)
        for prefix, family in (("_attachments/", "attachment"), ("_images/", "image")):
            head, found, rest = path.partition(prefix)
            file = self._resolve(rest, family) if found and set(head) <= {".", "/"} else None
            if file is not None:
                return self._asset(file)
        page = self._resolve(re.sub(r"(?:\.html|/)?$", ".adoc", path, count=1), "page")
        if page is not None and page in self.shared.steps:
            return self.xref(f"{path.removesuffix('.html').rstrip('/')}.adoc{hash_}{fragment}", line)[0]
        file = self._resolve(path, "attachment") or self._resolve(path, "page")
        if file is not None and not file.endswith(".adoc"):
            return self._asset(file)
        if re.fullmatch(r"tab-\d+", target):
            self.lose(
                "link",
                line,
                f"`{target}` opens a tab of the lab's own page, which the platform does not have; its text was kept.",
            )
            return None
        if "{{" not in target and not _HOST.match(target):
            self._break("link", line, target, "The link is relative, and nothing in the repository lies there.")
            return None
        return target

    def xref(self, target: str, line: Line) -> tuple[str | None, str]:
        """The destination of a cross reference, None where it leads nowhere, and the text it has by default."""
        page, hash_, fragment = target.partition("#")
        if not page:
            return self._on_page(self.page, fragment, target, line)
        if not hash_ and not re.search(r"\.adoc$|\$|:", page):
            current = self.shared.pages.get(self.page)
            if current is not None and page in current.slugs:
                return self._on_page(self.page, page, target, line)
        path = self._resolve(page, "page") or self._resolve(f"{page.removesuffix('.html')}.adoc", "page")
        if path is None:
            return self._unresolved(page, fragment, target, line)
        if not path.endswith(".adoc"):
            return self._asset(path), path.rpartition("/")[2]
        if path in self.shared.steps:
            return self._on_page(path, fragment, target, line)
        outside = self.shared.load(path)
        title = (outside.called if outside else "") or path.rpartition("/")[2]
        self.lose("page", line, f"`{path}` is not in the navigation, so it is no step; the link to it became its text.")
        return None, title

    def _unresolved(self, page: str, fragment: str, target: str, line: Line) -> tuple[str | None, str]:
        if re.search(r"\.adoc$|\$|/", page) or fragment:
            detail = "There is no such page."
            if "{{" in target:
                self.lose("link", line, f"Where `{target}` leads is known at run time only; the link became its text.")
            else:
                self._break("xref", line, target, detail)
        else:
            self._break("anchor", line, target, "No anchor or section of the page has this name.")
        return None, re.sub(r"\.adoc$", "", page)

    def _on_page(self, path: str, fragment: str, target: str, line: Line) -> tuple[str | None, str]:
        page = self.shared.pages.get(path)
        title = page.called if page else ""
        step = self.shared.steps.get(path)
        base = "" if path == self.page else f"../{step}/content.md"
        if not fragment:
            if base or page is None:
                return base or None, title
            return f"#{page.slugs.get(page.title, '')}", title
        if page is None or fragment not in page.slugs:
            if not self.quiet:
                self._break("anchor", line, target, f"`{path}` has no anchor `{fragment}`.")
            return base or None, title or fragment
        slug = page.slugs[fragment]
        where = f"{base}#{slug}" if slug else base or f"#{page.slugs.get(page.title, '')}"
        return where, page.titles.get(fragment, "") or title
