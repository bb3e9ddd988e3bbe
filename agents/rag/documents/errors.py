"""Errors of shared documents that a caller may see."""

from shared_services.kit.errors import NotFoundError


class DocumentNotFoundError(NotFoundError):
    """No shared document has this id."""

    slug = "document-not-found"
    title = "There is no such shared document"


class UnreadableError(Exception):
    """A file that nothing can be read from; its text is the sentence for whoever posted it."""
