"""The pages of a site, each read once, ready to be made steps."""

import re
from dataclasses import dataclass, field

from agents.template_converter.forms.frontmatter import FrontMatter, split_front_matter
from agents.template_converter.forms.lines import Line, lines_of, outside_fences
from agents.template_converter.forms.pages import Page, make_page
from agents.template_converter.forms.sphinx import references
from agents.template_converter.forms.sphinx.elements import Reading
from agents.template_converter.forms.sphinx.myst import MystReader
from agents.template_converter.forms.sphinx.reader import read_rst
from agents.template_converter.forms.sphinx.site import Site
from agents.template_converter.forms.superfences import outdent_fences

_LISTED = re.compile(r"^[ \t>]*- (?:<a id=\"[^\"]*\"></a>)*\[.*\]\(/[^()]*\)$")
_WORDLESS = re.compile(r"^[ \t>]*(?:#{1,6} .*|<a id=.*></a>|\*{3,})?$")


@dataclass
class SitePages:
    """Reads pages of a site."""

    site: Site
    _lines: dict[str, tuple[FrontMatter, list[Line]]] = field(default_factory=dict)

    def lines(self, path: str) -> tuple[FrontMatter, list[Line]]:
        """A page's front matter, and its lines as CommonMark."""
        if path not in self._lines:
            self._lines[path] = self._read(path)
        return self._lines[path]

    def _read(self, path: str) -> tuple[FrontMatter, list[Line]]:
        site = self.site
        reading = Reading(site, path, language=site.conf.language, default_role=site.conf.default_role)
        front, lines = split_front_matter(lines_of(site.tree.read_text(path), path))
        if not site.is_markdown(path):
            lines = site.lines(path)
            return FrontMatter(), read_rst(reading, lines, lambda rows: self._myst(reading, FrontMatter(), rows))
        return front, self._myst(reading, front, lines)

    def _myst(self, reading: Reading, front: FrontMatter, lines: list[Line]) -> list[Line]:
        own = front.values.get("substitutions", front.values.get("myst", {}))
        own = own.get("substitutions", own) if isinstance(own, dict) else {}
        given = {str(name): str(value) for name, value in own.items() if isinstance(value, str | int | float)}
        return MystReader(reading, {**self.site.conf.substitutions, **given}).convert(lines)

    def wordless(self, path: str) -> bool:
        """Whether a page holds nothing but headings and the list of the pages below it."""
        return not any(
            inside or not (_WORDLESS.match(line.text) or _LISTED.match(line.text))
            for _, line, inside in outside_fences(self.lines(path)[1])
        )

    def page(self, path: str, stands_for: dict[str, str]) -> Page:
        """A page; links to pages that are no steps lead to those that stand for them."""
        front, lines = self.lines(path)
        moved = [(f"]({references.address(old)}", f"]({references.address(new)}") for old, new in stands_for.items()]
        for old, new in moved:
            ends = re.compile(re.escape(old) + r"(?=[)#])(?:#[^)]*)?")
            lines = [line.with_text(ends.sub(lambda _, new=new: new, line.text)) if old in line.text else line for line in lines]  # type: ignore[misc]
        return make_page(path, front, outdent_fences(lines), mkdocs=False)
