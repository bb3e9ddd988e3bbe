"""`ui-config.yml`: the page that a Showroom lab is shown in, with its tabs, and the modules of labs that have no navigation."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agents.template_converter.forms.asciidoc.antora import BadYamlError, load_yaml
from agents.template_converter.model import Tree
from shared_services.asciidoc.preprocess import Findings

NAMES = ("ui-config.yml", "ui-config.yaml")


@dataclass(frozen=True)
class Module:
    """A page by its name without ending, and what the lab calls it."""

    name: str
    label: str

    @property
    def is_named_by_file(self) -> bool:
        """Whether the label says no more than the name, as labels do that a tool made."""
        words = re.sub(r"^\d+", "", re.sub(r"[\W_]+", "", self.name))
        return re.sub(r"[\W_]+", "", self.label).casefold() == words.casefold()


@dataclass(frozen=True)
class LabPage:
    """What the configuration at `path` says: modules in their order, and the names of the tabs beside the text."""

    path: str
    modules: tuple[Module, ...]
    tabs: tuple[str, ...]


def find_lab_page(tree: Tree, folders: Iterable[str], findings: Findings) -> LabPage | None:
    """The configuration in the first of `folders` that holds one; None where there is none or it is no YAML."""
    for folder in folders:
        for name in NAMES:
            path = f"{folder}/{name}".lstrip("/")
            if path in tree:
                return _read(tree, path, findings)
    return None


def _read(tree: Tree, path: str, findings: Findings) -> LabPage | None:
    try:
        data = load_yaml(tree, path)
    except BadYamlError as error:
        findings.break_at("config", path, 0, path, f"{error}; what it says of modules and tabs was passed over.")
        return None
    antora = data.get("antora")
    listed = _rows(antora.get("modules")) if isinstance(antora, dict) else []
    modules = [Module(_text(row.get("name")).removesuffix(".adoc"), _text(row.get("label"))) for row in listed]
    tabs = [_text(row.get("name")) for row in _rows(data.get("tabs"))]
    return LabPage(path, tuple(module for module in modules if module.name), tuple(tab for tab in tabs if tab))


def _rows(value: object) -> list[dict[str, object]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return " ".join(str(value).split()) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
