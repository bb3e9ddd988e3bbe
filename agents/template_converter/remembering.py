"""A conversion that takes what a person chose for the same repository before."""

from dataclasses import replace

from agents.template_converter.errors import (
    ChoiceRequiredError,
    MissingPathError,
    NotAWorkshopError,
    UnreadableSourceError,
)
from agents.template_converter.git import Progress
from agents.template_converter.service import Conversion, ConverterService, silent
from shared_services.contracts.choices import Choice
from shared_services.contracts.conversion import ConvertRequest
from shared_services.library.choices import passed_over, told, with_choice

_NO_LONGER = (ChoiceRequiredError, MissingPathError, NotAWorkshopError, UnreadableSourceError)


def read_remembering(
    service: ConverterService, request: ConvertRequest, choice: Choice | None, progress: Progress = silent
) -> Conversion:
    """Convert a source the way that was chosen for it before, and say so; anew, and say so, where it no longer fits.

    Args:
        service: Converts.
        request: Says nothing of how to read where there is a choice.
        choice: What is remembered of the repository, if anything is.
        progress: As for `ConverterService.convert`.

    Raises:
        SourceError: As `ConverterService.read`.
    """
    if choice is None:
        return service.read(request, progress)
    try:
        made = service.read(with_choice(request, choice), progress)
    except _NO_LONGER:
        made = service.read(request, progress)
        return replace(made, report=passed_over(made.report, choice))
    return replace(made, report=told(made.report, choice))
