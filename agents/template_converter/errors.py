"""Why a source cannot become a workshop; each error says what to do about it."""

from shared_services.contracts.conversion import Form, FormCandidate
from shared_services.kit.errors import BadInputError, TooLargeError


class SourceError(BadInputError):
    """Base of everything that is wrong with a source itself."""

    slug = "source-refused"
    title = "The source cannot be used"


class BadAddressError(SourceError):
    """The address is of no kind that is taken, or names nothing."""

    slug = "source-bad-address"
    title = "This is not an address of a source"


class UnreachableSourceError(SourceError):
    """The address is fine and nobody answers, or not to us."""

    slug = "source-unreachable"
    title = "The source cannot be reached"


class UnknownRefError(SourceError):
    """The repository has no such branch, tag or commit; `near` holds similar names."""

    slug = "source-unknown-ref"
    title = "The repository has no such branch, tag or commit"


class MissingPathError(SourceError):
    """The subfolder is not in the source; `near` holds similar ones."""

    slug = "source-missing-path"
    title = "The source has no such folder"


class HostileSourceError(SourceError):
    """The source tries to leave its folder, or is built to exhaust its reader."""

    slug = "source-hostile"
    title = "The source is refused for safety"


class SourceTooLargeError(SourceError):
    """A limit of size, number of files or time is passed."""

    slug = "source-too-large"
    status = TooLargeError.status
    title = "The source is too large"


class UnreadableSourceError(SourceError):
    """The form is there but cannot be read; the sentence names file and line."""

    slug = "source-unreadable"
    title = "The workshop in this source cannot be read"


class NotAWorkshopError(SourceError):
    """Nothing in the source can be imported as a workshop; `form` and `candidates` say what it is instead."""

    slug = "not-a-workshop"
    title = "There is no workshop to import"

    def __init__(self, detail: str, form: Form, candidates: list[FormCandidate]) -> None:
        super().__init__(detail, form=form.value, candidates=[row.model_dump(mode="json") for row in candidates])
        self.form = form
        self.candidates = candidates


class ChoiceRequiredError(SourceError):
    """Several readings are equally likely; a person chooses among `candidates`."""

    slug = "choice-required"
    status = 409
    title = "Please choose how to read this source"

    def __init__(self, detail: str, candidates: list[FormCandidate]) -> None:
        super().__init__(detail, candidates=[row.model_dump(mode="json") for row in candidates])
        self.candidates = candidates


class OutputRefusedError(SourceError):
    """The out folder holds something that a conversion must not overwrite, or cannot be written."""

    slug = "output-refused"
    title = "The workshop cannot be written there"
