"""How repositories were read, remembered in a file of the person's own: `convert` needs no data folder, and so neither has this.

A file that cannot be read or written keeps no command from its work; it says so and goes on.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from shared_services.contracts.choices import Choice
from workshop_cli.terminal import err, plain

MOST_CHOICES = 1_000
_CHOICES: TypeAdapter[dict[str, Choice]] = TypeAdapter(dict[str, Choice])


class FileChoices:
    """Choices by normalised address, in a JSON file.

    Args:
        path: The file; it and its folder are made when first needed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.expanduser()

    def get(self, address: str) -> Choice | None:
        """What is remembered of a repository."""
        return self._read().get(address)

    def remember(self, address: str, choice: Choice) -> None:
        """Remember a choice in place of an earlier one; of very many, the oldest is forgotten."""
        self._change(address, choice)

    def forget(self, address: str) -> bool:
        """Forget a choice; False when there was none."""
        if address not in self._read():
            return False
        self._change(address, None)
        return True

    def _read(self) -> dict[str, Choice]:
        try:
            return _CHOICES.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            err.print(f"{plain(str(self._path))} cannot be read ({reason}), so nothing is remembered of earlier choices.")
            return {}

    def _change(self, address: str, choice: Choice | None) -> None:
        try:
            with self._held():
                known = {name: row for name, row in self._read().items() if name != address}
                if choice is not None:
                    known[address] = choice
                kept = dict(sorted(known.items(), key=lambda row: row[1].at)[-MOST_CHOICES:])
                draft = self._path.with_name(f"{self._path.name}.new")
                draft.write_text(json.dumps(_CHOICES.dump_python(kept, mode="json"), indent=1, ensure_ascii=False) + "\n")
                draft.replace(self._path)
        except OSError as error:
            err.print(f"{plain(str(self._path))} cannot be written ({error.strerror}), so the choice is not remembered.")

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Two commands at once must not write over each other's choices."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_name(f"{self._path.name}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
