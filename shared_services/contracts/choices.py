"""How a person once chose to read a repository, remembered for the next conversion of it."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared_services.contracts.base import WireModel
from shared_services.contracts.conversion import Form


class Choice(WireModel):
    """A choice.

    Attributes:
        form: None where only the folder was chosen.
        path: The folder; empty for the whole repository.
        by: Who chose; empty on a laptop's command line.
    """

    form: Form | None = None
    path: Annotated[str, Field(max_length=1000)] = ""
    by: Annotated[str, Field(max_length=255)] = ""
    at: datetime


class ChoiceRequest(WireModel):
    """What to remember of the repository at `address`, which is normalised and has no credentials."""

    address: Annotated[str, Field(min_length=1, max_length=2000)]
    choice: Choice
