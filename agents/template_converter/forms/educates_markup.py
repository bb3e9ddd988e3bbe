"""What Educates does to a page before it is read as Markdown: data variables, Liquid's `raw`, shortcodes, ways through the pages.

The older renderer fills in `{{ name }}`; the newer one is Hugo, where `{{< param name >}}` does and `{{ name }}` is text, often
somebody's template. Names that Educates itself sets are data in both.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from agents.template_converter.forms.lines import Line, outside_fences
from agents.template_converter.forms.shortcodes import Surroundings, convert_shortcodes
from shared_services.contracts.conversion import Loss

_PARAM = re.compile(r"\{\{[<%]\s*param\s+\"?(?P<name>[A-Za-z_][\w.-]*)\"?\s*[%>]\}\}")
_DATA = re.compile(r"\{\{\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_OLDEST = re.compile(r"%(?P<name>[a-z_]+)%")
_RAW = re.compile(r"\{%-?\s*(?P<end>end)?raw\s*-?%\}")
_COPY = re.compile(r"(?<=`)\{\{<?\s*copy\s*>?\}\}")
_BASE = re.compile(r"\{\{[<%]\s*baseurl\s*[%>]\}\}")
_PATHWAY = re.compile(r"^\s*\{\{[<%]\s*(?:pathway\s+\"?(?P<name>[\w.-]+)\"?|(?P<end>/pathway))\s*[%>]\}\}\s*$")
_ABOVE = re.compile(r"(?P<before>!\[[^\]]*\]\(<?|\bsrc=\")(?:\.\./)+(?P<path>[^)\s>\"]+)")
_FENCE = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(`{3,}|~{3,})([^`]*)$")
_TEMPLATE_WORDS = frozenset({"end", "else", "nil", "content", "block", "break", "continue", "copy"})
_OWN = frozenset(
    {
        "assets_repository", "cluster_domain", "config_password", "environment_name", "image_repository", "ingress_class",
        "ingress_domain", "ingress_port", "ingress_port_suffix", "ingress_protocol", "kubernetes_api_url", "kubernetes_ca_crt",
        "kubernetes_token", "oci_image_cache", "pathway_name", "platform_arch", "policy_engine", "policy_name",
        "services_password", "session_hostname", "session_id", "session_name", "session_namespace", "session_url",
        "ssh_private_key", "ssh_public_key", "storage_class", "training_portal", "workshop_description", "workshop_name",
        "workshop_namespace", "workshop_title",
    }
)  # fmt: skip


@dataclass
class Markup:
    """How pages of one workshop are to be read, and what was met on the way.

    Attributes:
        hugo: Whether the newer renderer is known to show them; shortcodes are read in any case.
        declared: Names that the configuration gives values to.
        pathway: The way through the pages that was taken; empty where there is one only.
        is_static: Whether a path below the site's root is a file that is served as it is.
        variables: Names that are filled in at run time.
    """

    hugo: bool = False
    declared: frozenset[str] = frozenset()
    pathway: str = ""
    is_static: Callable[[str], bool] = field(default=lambda _path: False)
    variables: set[str] = field(default_factory=set)
    losses: list[Loss] = field(default_factory=list)
    _inline: Counter[str] = field(default_factory=Counter)
    _places: dict[str, Line] = field(default_factory=dict)

    def all_losses(self) -> list[Loss]:
        """What was lost on the way, marks that make buttons within sentences once with their count."""
        rows = list(self.losses)
        for mark, count in self._inline.items():
            line = self._places[mark]
            detail = (
                f"`{mark}` behind code in a sentence makes a button, which a step has behind code blocks alone ({count} times)."
            )
            rows.append(Loss(kind="attribute", source=line.file, line=line.number, detail=detail))
        return rows

    def met_inline(self, mark: str, line: Line) -> str:
        """Take note of a button within a sentence; nothing stands in its place."""
        self._inline[mark] += 1
        self._places.setdefault(mark, line)
        return ""

    def is_data(self, name: str) -> bool:
        """Whether `{{name}}` is filled in, and not somebody's template."""
        return name in _OWN or name in self.declared or (not self.hugo and name not in _TEMPLATE_WORDS)


def page_markup(lines: list[Line], markup: Markup) -> list[Line]:
    """A page with its variables as `{{name}}`, and its shortcodes in CommonMark."""
    lines = _filled(_one_way(_without_comments(lines), markup), markup)
    around = Surroundings()
    lines = convert_shortcodes([_static(line, markup) for line in lines], around)
    markup.losses += around.losses
    return lines


def _without_comments(lines: list[Line]) -> list[Line]:
    """The page without what is commented out over several lines, where a fence opens nothing."""
    out: list[Line] = []
    fence = ""
    commented = False
    for line in lines:
        text = line.text
        mark = _FENCE.match(text)
        if commented:
            commented = "-->" not in text
            rest = text.partition("-->")[2]
            if rest.strip():
                out.append(line.with_text(rest))
            continue
        if fence:
            fence = "" if mark and mark[1].startswith(fence) and not mark[2].strip() else fence
        elif mark:
            fence = mark[1]
        elif "<!--" in text and "-->" not in text.rpartition("<!--")[2]:
            commented = True
            before = text.rpartition("<!--")[0]
            if before.strip():
                out.append(line.with_text(before))
            continue
        out.append(line)
    return out


def _filled(lines: list[Line], markup: Markup) -> list[Line]:
    out: list[Line] = []
    raw = False
    for _, line, inside in outside_fences(lines):
        text = line.text
        if "{%" in text and _RAW.search(text):
            raw, was = _RAW.findall(text)[-1] != "end", raw
            bare = _RAW.sub("", text)
            if not bare.strip():
                continue
            out.append(line.with_text(bare) if was or raw else line.with_text(_data(bare, line, markup)))
            continue
        if raw or ("{{" not in text and "%" not in text):
            out.append(line)
            continue
        text = text if inside else _COPY.sub(lambda match, line=line: markup.met_inline(match[0], line), text)  # type: ignore[misc]
        out.append(line.with_text(_data(text, line, markup)))
    return out


def _data(text: str, _line: Line, markup: Markup) -> str:
    def named(match: re.Match[str]) -> str:
        markup.variables.add(match["name"])
        return f"{{{{{match['name']}}}}}"

    text = _PARAM.sub(named, text)
    text = _DATA.sub(
        lambda match: named(match) if markup.is_data(match["name"]) or match["name"] in markup.variables else match[0], text
    )
    return text if markup.hugo else _OLDEST.sub(lambda match: named(match) if match["name"] in _OWN else match[0], text)


def _static(line: Line, markup: Markup) -> Line:
    """Addresses from the site's root, where files that are served as they are have theirs."""

    def rooted(match: re.Match[str]) -> str:
        return f"{match['before']}/{match['path']}" if markup.is_static(match["path"]) else match[0]

    text = _ABOVE.sub(rooted, _BASE.sub("", line.text)) if "{{" in line.text or "../" in line.text else line.text
    return line if text == line.text else line.with_text(text)


def _one_way(lines: list[Line], markup: Markup) -> list[Line]:
    """The page without what is shown on other ways through the pages."""
    out: list[Line] = []
    passing = ""
    for line in lines:
        match = _PATHWAY.match(line.text) if "pathway" in line.text else None
        if match is None:
            if not passing:
                out.append(line)
            continue
        passing = "" if match["end"] or match["name"] == markup.pathway else match["name"]
        if passing:
            detail = f"What only the way `{passing}` through the pages shows was left out."
            markup.losses.append(Loss(kind="pathway", source=line.file, line=line.number, detail=detail))
    return out
