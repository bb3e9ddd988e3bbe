"""On which line of a YAML file a value stands."""

from collections.abc import Sequence

import yaml


class Places:
    """Finds lines in a YAML text that is valid."""

    def __init__(self, raw: bytes) -> None:
        try:
            self._root = yaml.compose(raw, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, ValueError, RecursionError):
            self._root = None

    def line(self, place: Sequence[int | str]) -> int:
        """The line (from 1) of the value at `place`, a path of names and indexes; of the nearest one around it that is there."""
        node, line = self._root, 1
        for part in place:
            if isinstance(node, yaml.MappingNode):
                found = next(((key, value) for key, value in node.value if str(key.value) == str(part)), None)
                if found is None:
                    return line
                line, node = found[0].start_mark.line + 1, found[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            else:
                return line
        return line
