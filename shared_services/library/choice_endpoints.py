"""Choices of how to read a repository over HTTP: whoever knows an address may ask about it; nobody gets a list."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from shared_services.contracts.choices import Choice, ChoiceRequest
from shared_services.contracts.identity import Identity
from shared_services.kit.errors import NotFoundError
from shared_services.kit.identity import Permission, require
from shared_services.library.choice_store import ChoiceStore
from shared_services.library.choices import address_key

Address = Annotated[str, Query(min_length=1, max_length=2000, description="Of the repository; credentials are passed over.")]


def add_choices(router: APIRouter, choices: ChoiceStore, identify: Callable[..., Identity | None]) -> None:
    """Add the route `/choices`."""
    caller = Annotated[Identity | None, Depends(identify)]

    @router.get("/choices")
    async def remembered(address: Address, identity: caller) -> Choice:
        """How a person chose to read a repository."""
        require(identity, Permission.WORKSHOP_CONVERT)
        found = await choices.get(address_key(address))
        if found is None:
            raise NotFoundError("Nothing is remembered of this repository.")
        return found

    @router.put("/choices", status_code=204)
    async def remember(request: ChoiceRequest, identity: caller) -> None:
        """Remember how to read a repository."""
        require(identity, Permission.WORKSHOP_CONVERT)
        await choices.remember(address_key(request.address), request.choice)

    @router.delete("/choices", status_code=204)
    async def forget(address: Address, identity: caller) -> None:
        """Forget how to read a repository; it is recognised the next time."""
        require(identity, Permission.WORKSHOP_CONVERT)
        await choices.forget(address_key(address))
