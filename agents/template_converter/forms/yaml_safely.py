"""YAML from strangers: nothing is constructed but plain values, and a document that unfolds without end is refused."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from agents.template_converter.forms.json_safely import whole_characters

_MAX_NODES = 100_000
_MAX_CHARACTERS = 1_000_000
_CHARACTERS_OF_A_NODE = 50
_HALF = re.compile(r"\\(?:u|U0000)[dD][89a-fA-F]")


class UnsafeYamlError(ValueError):
    """Not YAML that is read here; the sentence names the line where it is known."""


class _PlainLoader(yaml.SafeLoader):
    """The safe loader, which passes over every tag it does not know (`!!python/name:`, `!ENV`, `!relative`)."""


def _plain(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value) or suffix
    if isinstance(node, yaml.SequenceNode):
        values = loader.construct_sequence(node, deep=True)
        return values[-1] if values else None
    return None


_PlainLoader.add_multi_constructor("!", _plain)
_PlainLoader.add_multi_constructor("tag:yaml.org,2002:python/", _plain)


def load_plain(text: str) -> Any:
    """The value of a YAML document, unknown tags as text.

    Raises:
        UnsafeYamlError: Not YAML, several documents, or aliases that unfold without end.
    """
    values = _load(text, single=True)
    return values[0] if values else None


def load_documents(text: str) -> list[Any]:
    """The values of every document of a YAML file, unknown tags as text.

    Raises:
        UnsafeYamlError: Not YAML, or aliases that unfold without end.
    """
    return _load(text, single=False)


def _load(text: str, *, single: bool) -> list[Any]:
    if len(text) > _MAX_CHARACTERS:
        raise UnsafeYamlError("it is too long")
    try:
        loader = _PlainLoader(text)
        try:
            values: list[Any] = []
            nodes = 0
            for node in _nodes(loader, single=single):
                nodes += _unfolded(node, {}, set())
                if nodes > _MAX_NODES:
                    raise UnsafeYamlError("its aliases unfold to more than can be read")
                values.append(loader.construct_document(node))
            return [whole_characters(value) for value in values] if _HALF.search(text) else values
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UnsafeYamlError(f"it is not YAML{line}: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError) as error:
        if isinstance(error, UnsafeYamlError):
            raise
        raise UnsafeYamlError(f"it is not YAML: {type(error).__name__}") from error


def _nodes(loader: yaml.SafeLoader, *, single: bool) -> Iterator[yaml.Node]:
    if single:
        yield from filter(None, [loader.get_single_node()])
        return
    while loader.check_node():
        yield from filter(None, [loader.get_node()])


def _unfolded(node: yaml.Node, known: dict[int, int], above: set[int]) -> int:
    """Nodes that `node` stands for once every alias is followed; long texts count as several."""
    if id(node) in above:
        raise UnsafeYamlError("an alias refers to itself")
    if id(node) not in known:
        above.add(id(node))
        total = 1 + len(node.value) // _CHARACTERS_OF_A_NODE if isinstance(node, yaml.ScalarNode) else 1
        if isinstance(node, yaml.SequenceNode):
            total += sum(_unfolded(child, known, above) for child in node.value)
        elif isinstance(node, yaml.MappingNode):
            total += sum(_unfolded(key, known, above) + _unfolded(value, known, above) for key, value in node.value)
        above.discard(id(node))
        known[id(node)] = total
    return known[id(node)]
