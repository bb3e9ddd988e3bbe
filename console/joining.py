"""Where people meet a workshop, and how an author lets them in: its page, its join code, a link that carries the code."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Request

from console.settings import WORKSHOP
from shared_services.pages.templating import root_path


@dataclass(frozen=True)
class Invitation:
    """What an author gives to participants.

    Attributes:
        code: The join code.
        link: An address that fills the code in.
    """

    code: str
    link: str


@dataclass(frozen=True)
class Meeting:
    """Where workshops are met, and by which codes.

    Attributes:
        join_code: A workshop's join code; None where none is needed.
        public_url: The address that people reach this server under, where it is another one than the author's.
        workshop_url: Pattern of workshops' own addresses, with `{workshop}` for the name; None where they stand below this
            server at `/w/NAME`.
    """

    join_code: Callable[[str], Awaitable[str | None]]
    public_url: str | None = None
    workshop_url: str | None = None

    def page(self, request: Request, workshop: str, path: str = "/") -> str:
        """A workshop's page: a path of this server, or an address of its own.

        Args:
            request: Tells what this server stands below.
            workshop: The workshop.
            path: Below the workshop's own root.
        """
        return (self._own(workshop) or f"{root_path(request)}/w/{workshop}") + path

    def apart(self, workshop: str) -> bool:
        """Whether the workshop has an address of its own, where the console's cookie does not come."""
        return self._own(workshop) is not None

    def teaching(self, request: Request, workshop: str, path: str) -> str:
        """Where a page for whoever runs a workshop is opened: the page itself, or the way there by `open_router`."""
        if self.apart(workshop):
            return f"{root_path(request)}/workshops/{workshop}/open?page={quote(path, safe='')}"
        return self.page(request, workshop, path)

    async def invitation(self, request: Request, workshop: str) -> Invitation | None:
        """How people get into a workshop; None where everybody may.

        Args:
            request: Tells under which address the author reaches the server.
            workshop: The workshop.

        Raises:
            UnavailableError: The codes cannot be read now.
        """
        code = await self.join_code(workshop)
        if code is None:
            return None
        here = self.public_url or f"{request.url.scheme}://{request.url.netloc}{root_path(request)}"
        base = self._own(workshop) or f"{here.rstrip('/')}/w/{workshop}"
        return Invitation(code, f"{base}/join?code={quote(code)}")

    def _own(self, workshop: str) -> str | None:
        return self.workshop_url and self.workshop_url.replace(WORKSHOP, workshop).rstrip("/")
