"""Who may see what is for whoever runs the workshop."""

from collections.abc import Callable

from fastapi import Request

from workshop_chat.errors import TeachersOnlyError
from workshop_chat.participants import Participant


def teacher(identify: Callable[[Request], Participant]) -> Callable[[Request], Participant]:
    """A dependency: whoever asks, who must run the workshop.

    Raises:
        TeachersOnlyError: They take part in it.
    """

    def dependency(request: Request) -> Participant:
        participant = identify(request)
        if not participant.teaches:
            raise TeachersOnlyError(
                "Its authors see here how their workshop goes. If you are one of them, sign in, "
                "and open it from the list of workshops."
            )
        return participant

    return dependency
