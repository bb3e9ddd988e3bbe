"""How an author lets people in: a workshop's join code, and a link that carries it."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Request

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


def invitation(
    request: Request, join_code: Callable[[str], str | None], workshop: str, public_url: str | None
) -> Invitation | None:
    """How people get into a workshop; None where everybody may.

    Args:
        request: Tells under which address the author reaches the server.
        join_code: A workshop's join code; None where none is needed.
        workshop: The workshop.
        public_url: The address that people reach the server under, where it is another one than the author's.
    """
    code = join_code(workshop)
    if code is None:
        return None
    base = public_url or f"{request.url.scheme}://{request.url.netloc}{root_path(request)}"
    return Invitation(code, f"{base.rstrip('/')}/w/{workshop}/join?code={quote(code)}")
