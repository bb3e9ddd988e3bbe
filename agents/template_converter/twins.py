"""Configurations that stand beside another one of the same name and other ending: one is read, and the other is told."""

import posixpath
from typing import Final

from agents.template_converter.model import Tree
from shared_services.contracts.conversion import Form, FormCandidate, Loss

_YAML_FIRST: Final = (".yaml", ".yml")
_YML_FIRST: Final = (".yml", ".yaml")
_ORDER: Final[dict[Form, tuple[tuple[str, tuple[str, str]], ...]]] = {
    Form.EDUCATES: (
        ("resources/workshop", _YAML_FIRST),
        ("workshop/config", _YAML_FIRST),
        ("workshop/workshop", _YAML_FIRST),
        ("workshop/modules", _YAML_FIRST),
    ),
    Form.HUGO: (("hugo", _YAML_FIRST), ("config", _YAML_FIRST), ("contentspec", _YAML_FIRST)),
    Form.INSTRUQT: (("track", _YML_FIRST), ("config", _YML_FIRST)),
    Form.MARKDOWN: ((".gitbook", _YAML_FIRST),),
    Form.MKDOCS: (("mkdocs", _YML_FIRST),),
    Form.SHOWROOM: (("ui-config", _YML_FIRST),),
}
"""Which of the two each importer reads."""


def passed_over(tree: Tree, candidate: FormCandidate) -> list[Loss]:
    """A loss for each configuration of a workshop that is not read because its twin is."""
    losses = []
    for name, endings in _ORDER.get(candidate.form, ()):
        taken, other = (posixpath.join(candidate.path, f"{name}{ending}") for ending in endings)
        if taken in tree and other in tree:
            detail = f"`{taken}` stands beside it and is what was read; this file was passed over. Keep one of the two."
            losses.append(Loss(kind="setting", source=other, line=0, detail=detail))
    return losses
