"""Models that reason in the open: what stands in a leading `<think>` element is not part of the answer."""

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkingFilter:
    """Passes text on, less a leading `<think>...</think>`, however it is cut into pieces."""

    def __init__(self) -> None:
        self._held = ""
        self._inside = False
        self._answering = False

    def feed(self, piece: str) -> str:
        """What of this piece, and of pieces held back, belongs to the answer; may be empty."""
        if self._answering:
            return piece
        self._held += piece
        if not self._inside:
            start = self._held.lstrip()
            if _OPEN.startswith(start[: len(_OPEN)]) and len(start) < len(_OPEN):
                return ""
            if not start.startswith(_OPEN):
                return self._release(self._held)
            self._inside = True
            self._held = start[len(_OPEN) :]
        _, close, rest = self._held.partition(_CLOSE)
        if not close:
            # Only a beginning of the closing tag may matter later.
            self._held = self._held[-len(_CLOSE) + 1 :]
            return ""
        rest = rest.lstrip()
        if not rest:
            self._inside, self._held = True, _CLOSE
            return ""
        return self._release(rest)

    def close(self) -> str:
        """What was held back and is part of the answer after all."""
        return "" if self._inside or self._answering else self._release(self._held)

    def _release(self, text: str) -> str:
        self._answering, self._held = True, ""
        return text
