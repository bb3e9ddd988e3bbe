"""The files of a version, from the library."""

from typing import Protocol

from shared_services.clients.library import LibraryClient
from shared_services.library.form import WorkshopFiles, validate_files


class FilesSource(Protocol):
    """Where the files of a published version come from: the library."""

    async def fetch(self, workshop: str, version: str) -> WorkshopFiles:
        """The files of a version.

        Raises:
            NotFoundError: There is no such version.
        """
        ...


class LibraryFiles:
    """A source of files on the library's client."""

    def __init__(self, library: LibraryClient) -> None:
        self._library = library

    async def fetch(self, workshop: str, version: str) -> WorkshopFiles:
        """The files of a version, draft or published.

        Raises:
            ProblemError: Status 404: there is no such version.
            UnavailableError: The library does not answer.
        """
        return validate_files(await self._library.files(await self._library.version(workshop, version)))
