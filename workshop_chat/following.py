"""Following a turn by its row: one that has ended, or whose answer another process makes."""

from collections.abc import AsyncGenerator, Callable, Iterator, Set
from contextlib import contextmanager

import anyio

from shared_services.contracts.chat import Answer
from workshop_chat.errors import AnswerInterruptedError
from workshop_chat.pipeline import Piece
from workshop_chat.repository import ConversationRepository, TurnKey

CUT_EARLIER = "It ended before it was finished. What there was of it is kept; ask again."
ORPHAN_SECONDS = 1.0


def signal_key(key: TurnKey) -> str:
    """A turn as the key of a signal."""
    return f"{key[0]}/{key[1]}"


class Watch:
    """Waits for one turn to change."""

    def __init__(self) -> None:
        self._changed = anyio.Event()

    def wake(self) -> None:
        """It may have changed."""
        self._changed.set()

    def arm(self) -> None:
        """Count from now on. What is read after this is at least as new as what `wait` waits for."""
        self._changed = anyio.Event()

    async def wait(self, seconds: float) -> None:
        """Until it may have changed since `arm`, or so many seconds."""
        with anyio.move_on_after(seconds):
            await self._changed.wait()


class Watches:
    """Everybody in this process who waits for turns of other processes to change."""

    def __init__(self) -> None:
        self._by_key: dict[str, set[Watch]] = {}

    @contextmanager
    def watch(self, key: str) -> Iterator[Watch]:
        """Wait for a turn's changes while the block lasts."""
        watch = Watch()
        self._by_key.setdefault(key, set()).add(watch)
        try:
            yield watch
        finally:
            self._by_key[key].discard(watch)
            if not self._by_key[key]:
                del self._by_key[key]

    def wake(self, keys: Set[str]) -> None:
        """These turns may have changed; all of them where an empty key is among them."""
        for key, watches in self._by_key.items():
            if key in keys or "" in keys:
                for watch in watches:
                    watch.wake()


async def follow_row(
    repository: ConversationRepository,
    watches: Watches,
    key: TurnKey,
    participant: str,
    after: int,
    *,
    patience: float,
    made_here: Callable[[], bool],
    leaving: Callable[[], bool],
) -> AsyncGenerator[Piece | Answer]:
    """What comes after block `after` of a turn, as it is kept, then the Answer.

    Args:
        repository: Where it is kept.
        watches: Told when it changes.
        key: Which turn.
        participant: Whose it must be.
        after: Number of the last block that the reader has; -1 for none.
        patience: Seconds without a signal after which the row is read again.
        made_here: Whether this process makes the answer after all.
        leaving: Whether this process is about to end: then it just stops, and the reader goes on elsewhere.

    Raises:
        TurnNotFoundError: This participant has no such turn, or has it no more.
        AnswerInterruptedError: It never ended.
    """
    cited, last, status = 0, after, None
    orphan = False
    with watches.watch(signal_key(key)) as watch:
        while True:
            watch.arm()
            with anyio.CancelScope(shield=True):
                kept = await repository.turn(key[0], participant, key[1])
            answer = kept.turn.answer
            if answer is not None:
                for citation in answer.citations[cited:]:
                    yield citation
                cited = len(answer.citations)
            for block in kept.blocks:
                if block.n > last:
                    last = block.n
                    yield block
            if kept.turn.state != "answering":
                if kept.turn.state == "interrupted" or answer is None:
                    said = answer.note if answer is not None and not answer.answer else ""
                    raise AnswerInterruptedError(said or CUT_EARLIER)
                yield answer
                return
            if kept.status is not None and kept.status != status:
                status = kept.status
                yield status
            if leaving():
                return
            if repository.shared:
                await watch.wait(patience)
                continue
            # Where no other process can be answering, a turn that is not made here is one that nobody will finish.
            if orphan and not made_here():
                raise AnswerInterruptedError(CUT_EARLIER)
            orphan = not made_here()
            await watch.wait(ORPHAN_SECONDS)
