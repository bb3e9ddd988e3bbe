"""The tokens that a chat agent shows to other services when it runs alone: read from a mounted file, never made here."""

import json
from pathlib import Path

from shared_services.kit.errors import UnavailableError


class FileTokens:
    """A token source over a JSON file, audience to token. The file is read again whenever it has changed, as renewals do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = 0
        self._tokens: dict[str, str] = {}

    def __call__(self, audience: str) -> str:
        """The token for `audience`.

        Raises:
            UnavailableError: The file cannot be read, or names no such audience.
        """
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._read_at:
                self._tokens = {str(name): str(token) for name, token in json.loads(self._path.read_text()).items()}
                self._read_at = changed
        except (OSError, ValueError, AttributeError) as error:
            raise UnavailableError(f"The credential {self._path} cannot be read. Mount it again.") from error
        if audience not in self._tokens:
            raise UnavailableError(f"The credential {self._path} holds no token for '{audience}'. Mount one that does.")
        return self._tokens[audience]
