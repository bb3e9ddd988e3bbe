"""Help on a step over HTTP: which ways of helping are open to the caller, and how checks of the step ended for them."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from shared_services.contracts.chat import CheckResult, HelpWay
from workshop_chat.bus import SESSIONS, Bus
from workshop_chat.helpdesk import HelpDesk
from workshop_chat.participants import Participant
from workshop_chat.progress import ProgressRepository

Identify = Callable[[Request], Participant]


def help_router(desk: HelpDesk, progress: ProgressRepository, bus: Bus, identify: Identify) -> APIRouter:
    """The routes under `/api/v1/steps`.

    Args:
        desk: Which ways are open.
        progress: Where results are counted.
        bus: Is told of each result.
        identify: Who asks; raises where it is nobody who may take part.
    """
    router = APIRouter(prefix="/api/v1/steps")

    async def participant(request: Request) -> Participant:
        return identify(request)

    Asking = Annotated[Participant, Depends(participant)]  # noqa: N806  a type

    @router.get("/{step}/help")
    async def ways(step: str, asking: Asking) -> list[HelpWay]:
        """The three ways of helping on a step: which are open to the caller, and when the others will be."""
        return await desk.ways(step, asking.id)

    @router.post("/{step}/check-results")
    async def check_result(step: str, result: CheckResult, asking: Asking) -> list[HelpWay]:
        """Tell how a check of the step ended for the caller; the ways of helping as they are then."""
        await desk.require(step)
        await progress.seen(asking.id, step)
        await progress.checked(asking.id, step, passed=result.passed)
        await bus.signal(SESSIONS, asking.id)
        return await desk.ways(step, asking.id)

    return router
