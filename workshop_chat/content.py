"""The chat agent's own workshop, fetched from the library and kept by version.

It knows one workshop and can name no other. A new version is noticed by asking the library again after a while; while the
library is away it goes on with what it has, and nobody waits for it. Bytes are kept by content hash, within a limit, so that an
agent stays small; `keep` fetches the text of all steps beforehand, so that a library that goes away later takes none with it.
"""

import asyncio
import contextlib
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass

import anyio
from structlog import get_logger

from shared_services.contracts.library import WorkshopVersion
from shared_services.kit.errors import NotFoundError, PlatformError, UnavailableError
from workshop_chat.errors import FileNotInWorkshopError, StepNotFoundError
from workshop_chat.ports import Library

log = get_logger()

CHECK_SECONDS = 2.0
KEEP_SECONDS = 10.0
REFRESH_TIMEOUT_SECONDS = 3.0
CACHE_BYTES = 8 * 1024 * 1024
MAX_CACHED_FILE_BYTES = 1024 * 1024
VERSIONS_KEPT = 4


@dataclass(frozen=True)
class StepContent:
    """A step of one version, with its neighbours.

    Attributes:
        number: Place in the workshop, from 1, of `total`.
        content: The step's CommonMark, `steps/<id>/content.md`.
        duration: Minutes, where the author states them.
    """

    id: str
    title: str
    number: int
    total: int
    previous: str | None
    next: str | None
    duration: int | None
    content: str
    version: str


class WorkshopContent:
    """One workshop's published content.

    Attributes:
        workshop: Its slug.
    """

    def __init__(
        self, library: Library, workshop: str, *, check_seconds: float = CHECK_SECONDS, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self.workshop = workshop
        self._library = library
        self._check_seconds = check_seconds
        self._cache_bytes = cache_bytes
        self._cached: OrderedDict[str, bytes] = OrderedDict()
        self._versions: OrderedDict[str, WorkshopVersion] = OrderedDict()
        self._current: WorkshopVersion | None = None
        self._checked_at = float("-inf")
        self._away = False
        self._looking: asyncio.Task[None] | None = None
        self._lock = anyio.Lock()

    async def current(self) -> WorkshopVersion:
        """The version that participants see; the library is asked at most once in `check_seconds`.

        Raises:
            NotFoundError: The workshop is not published, or was removed.
            UnavailableError: The library does not answer and nothing has been fetched yet.
        """
        if self._fresh() is None:
            if self._away and self._current is not None:
                self._look_beside()
            else:
                await self._look()
        assert self._current is not None
        return self._current

    async def _look(self) -> None:
        async with self._lock:
            if self._fresh() is None:
                await self._refresh()

    def _look_beside(self) -> None:
        """Ask a library that did not answer last time again, while nobody waits for it."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_quietly())

    async def _look_quietly(self) -> None:
        # Whoever asks next is told what came of it.
        with contextlib.suppress(PlatformError):
            await self._look()

    async def keep(self) -> None:
        """Hold the text of every step of the current version, until cancelled."""
        held = ""
        try:
            while True:
                with contextlib.suppress(PlatformError):
                    published = await self.current()
                    if published.version != held:
                        for file in published.files:
                            if file.path.startswith("steps/") and file.path.endswith(".md"):
                                await self.file(file.path, published.version)
                        held = published.version
                await anyio.sleep(KEEP_SECONDS)
        finally:
            if self._looking is not None:
                self._looking.cancel()

    def known(self) -> WorkshopVersion | None:
        """The version that was current when the library was last asked; None when it never was, or the workshop is gone."""
        return self._current

    def _fresh(self) -> WorkshopVersion | None:
        return self._current if time.monotonic() - self._checked_at < self._check_seconds else None

    async def _refresh(self) -> None:
        try:
            with anyio.fail_after(REFRESH_TIMEOUT_SECONDS):
                found = await self._library.current(self.workshop)
        except (PlatformError, TimeoutError) as error:
            if isinstance(error, PlatformError) and error.status == NotFoundError.status:
                self._current, self._checked_at = None, float("-inf")
                raise NotFoundError(f"The workshop '{self.workshop}' is not published.") from error
            if self._current is None:
                raise UnavailableError("The library does not answer. Try again in a moment.") from error
            if not self._away:
                log.warning("library_unreachable", workshop=self.workshop, version=self._current.version, error=str(error))
            self._away = True
        else:
            self._away = False
            if self._current is None or found.version != self._current.version:
                log.info("workshop_version", workshop=self.workshop, version=found.version, number=found.number)
            self._current = self._keep(found)
        self._checked_at = time.monotonic()

    def _keep(self, version: WorkshopVersion) -> WorkshopVersion:
        if version.workshop != self.workshop:
            raise UnavailableError(f"The library answered with another workshop than '{self.workshop}'.")
        self._versions[version.version] = version
        self._versions.move_to_end(version.version)
        while len(self._versions) > VERSIONS_KEPT:
            self._versions.popitem(last=False)
        return version

    async def version(self, version: str) -> WorkshopVersion:
        """One published version, the current or an older one.

        Raises:
            NotFoundError: There is no such version.
            UnavailableError: It is not held here and the library does not answer.
        """
        held = self._versions.get(version)
        return held if held is not None else self._keep(await self._library.version(self.workshop, version))

    async def file(self, path: str, version: str | None = None) -> bytes:
        """The bytes of a file of the workshop.

        Args:
            path: Path inside the workshop.
            version: A published version; the current one when absent.

        Raises:
            FileNotInWorkshopError: That version has no such file.
            UnavailableError: It is not held here and the library does not answer, or answers with other bytes.
        """
        published = await self.current() if version is None else await self.version(version)
        entry = next((entry for entry in published.files if entry.path == path), None)
        if entry is None:
            raise FileNotInWorkshopError(f"Version {published.version} of '{self.workshop}' has no file {path!r}.")
        held = self._cached.get(entry.sha256)
        if held is not None:
            self._cached.move_to_end(entry.sha256)
            return held
        raw = await self._library.file(self.workshop, entry.sha256)
        if hashlib.sha256(raw).hexdigest() != entry.sha256:
            raise UnavailableError(f"The library sent other bytes than those published for {path!r}. Publish the workshop again.")
        self._remember(entry.sha256, raw)
        return raw

    def _remember(self, sha256: str, raw: bytes) -> None:
        if len(raw) > MAX_CACHED_FILE_BYTES:
            return
        self._cached[sha256] = raw
        while sum(map(len, self._cached.values())) > self._cache_bytes:
            self._cached.popitem(last=False)

    async def step(self, step: str, version: str | None = None) -> StepContent:
        """A step with its text and its neighbours.

        Raises:
            StepNotFoundError: That version has no such step.
            UnavailableError: Its text is not held here and the library does not answer.
        """
        published = await self.current() if version is None else await self.version(version)
        order = published.manifest.steps
        if step not in order:
            raise StepNotFoundError(f"'{published.manifest.title}' has no step '{step}'.")
        place = order.index(step)
        manifest = published.steps[step]
        raw = await self.file(f"steps/{step}/content.md", published.version)
        return StepContent(
            id=step,
            title=manifest.title,
            number=place + 1,
            total=len(order),
            previous=order[place - 1] if place else None,
            next=order[place + 1] if place + 1 < len(order) else None,
            duration=manifest.duration,
            content=raw.decode("utf-8"),
            version=published.version,
        )

    async def ready(self) -> str | None:
        """For `/readyz`: None when the workshop can be shown, else why not."""
        try:
            await self.current()
        except PlatformError as error:
            return error.detail
        return None
