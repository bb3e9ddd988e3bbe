"""The conflicts of one merge as they are met, and what was decided about each."""

import hashlib
from collections.abc import Mapping

from shared_services.contracts.merging import Conflict, ConflictKind, Decision, Take


class Ledger:
    """Gathers conflicts; without a decision the author's side stands.

    Attributes:
        own_ids: A step's id in the result -> the author's own: a conflict keeps its id whatever its step is called in the end.
    """

    def __init__(self, decisions: Mapping[str, Decision]) -> None:
        self._decisions = decisions
        self._ids: dict[str, int] = {}
        self.own_ids: dict[str, str] = {}
        self.conflicts: list[Conflict] = []

    def decide(
        self,
        kind: ConflictKind,
        path: str,
        detail: str,
        *,
        sides: tuple[str | None, str | None, str | None],
        step: str | None = None,
        field: str = "",
        line: int = 0,
    ) -> Decision:
        """Record a conflict and give what stands.

        Args:
            kind: What both sides changed.
            path: The file in the result.
            detail: A sentence on what happened.
            sides: The base's text, the author's and the source's.
            step: The step that it is about.
            field: Of a manifest.
            line: Where the author's lines begin.
        """
        takes = [Take.MINE, Take.THEIRS, *([Take.BOTH] if kind is ConflictKind.LINES else [])]
        own = path.replace(f"steps/{step}/", f"steps/{self.own_ids.get(step, step)}/", 1) if step else path
        key = self._id(kind, own, field, sides)
        wanted = self._decisions.get(key)
        allowed = wanted is not None and (wanted.take in takes if wanted.take else kind is ConflictKind.LINES)
        base, mine, theirs = sides
        self.conflicts.append(
            Conflict(
                id=key, kind=kind, path=path, step=step, field=field, line=line, base=base, mine=mine, theirs=theirs,
                detail=detail, takes=takes, decided=wanted if allowed else None,
            )
        )  # fmt: skip
        return wanted if wanted is not None and allowed else Decision(take=Take.MINE)

    def _id(self, kind: str, path: str, field: str, sides: tuple[str | None, ...]) -> str:
        said = "\0".join([kind, path, field, *("-" if side is None else f"+{side}" for side in sides)])
        made = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:10]
        self._ids[made] = self._ids.get(made, 0) + 1
        return made if self._ids[made] == 1 else f"{made}-{self._ids[made]}"
