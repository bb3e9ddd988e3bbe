"""Which collections are loaded: at most so many at once, and the one that was read longest ago goes first.

A collection that is being read is never released; who finds every place taken waits. The slow calls to the engine run
outside the lock, so that a collection coming back does not hold up the searches of the others.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agents.rag.errors import StoreUnavailableError


@dataclass
class _Place:
    """`ready` is false while the collection is being loaded or released."""

    ready: bool = False
    readers: int = 0


class Residents:
    """The loaded collections of one store.

    Args:
        most: How many may be loaded at once.
        load: Loads a collection; blocks.
        release: Releases one; blocks.
        patience: Seconds to wait for a place.
    """

    def __init__(self, most: int, load: Callable[[str], None], release: Callable[[str], None], patience: float = 10.0) -> None:
        self._most = most
        self._load = load
        self._release = release
        self._patience = patience
        self._places: OrderedDict[str, _Place] = OrderedDict()
        self._changed = threading.Condition()

    @contextmanager
    def using(self, collection: str) -> Iterator[None]:
        """Hold a collection loaded. A thread that holds one must not ask for a second.

        Raises:
            StoreUnavailableError: Every place is taken by a collection that is being read, for too long; or what `load`
                and `release` raise.
        """
        place = self._taken(collection)
        try:
            yield
        finally:
            with self._changed:
                place.readers -= 1
                self._changed.notify_all()

    def forget(self, collection: str) -> None:
        """A collection is gone, so there is nothing left to release."""
        with self._changed:
            self._places.pop(collection, None)
            self._changed.notify_all()

    def clear(self) -> None:
        """Every collection is gone from memory: the engine was closed."""
        with self._changed:
            self._places.clear()
            self._changed.notify_all()

    def names(self) -> list[str]:
        """The loaded collections, the one read longest ago first."""
        with self._changed:
            return list(self._places)

    def _taken(self, collection: str) -> _Place:
        until = time.monotonic() + self._patience
        while True:
            leaving: str | None = None
            with self._changed:
                place = self._places.get(collection)
                if place is not None and place.ready:
                    place.readers += 1
                    self._places.move_to_end(collection)
                    return place
                if place is None and len(self._places) < self._most:
                    changing = self._places[collection] = _Place(readers=1)
                elif place is None and (leaving := self._idle()) is not None:
                    changing = self._places[leaving]
                    changing.ready = False
                else:
                    self._wait(until)
                    continue
            if leaving is None:
                return self._loaded(collection, changing)
            self._let_go(leaving, changing)

    def _idle(self) -> str | None:
        return next((name for name, place in self._places.items() if place.ready and not place.readers), None)

    def _wait(self, until: float) -> None:
        if not self._changed.wait(until - time.monotonic()):
            raise StoreUnavailableError(
                f"All {self._most} collections that may be loaded at once are being read. Try again in a moment, or raise "
                "RAG_LOADED_COLLECTIONS."
            )

    def _loaded(self, collection: str, place: _Place) -> _Place:
        try:
            self._load(collection)
        except BaseException:
            self._discard(collection, place)
            raise
        with self._changed:
            place.ready = True
            self._changed.notify_all()
        return place

    def _let_go(self, collection: str, place: _Place) -> None:
        try:
            self._release(collection)
        finally:
            # a collection whose release failed is loaded once more when it is next read, which does no harm
            self._discard(collection, place)

    def _discard(self, collection: str, place: _Place) -> None:
        with self._changed:
            if self._places.get(collection) is place:
                self._places.pop(collection, None)
            self._changed.notify_all()
