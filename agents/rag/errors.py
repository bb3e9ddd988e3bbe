"""Errors of the RAG agent that a caller may see."""

from shared_services.kit.errors import ConflictError, NotFoundError, UnavailableError


class ModelUnavailableError(UnavailableError):
    """The embedding model is not there, or is not the one it should be."""

    slug = "model-unavailable"
    title = "The embedding model cannot be used"


class ModelMismatchError(ConflictError):
    """Vectors of one embedding model were about to be stored among those of another."""

    slug = "model-mismatch"
    title = "The vectors are of another embedding model"


class StoreUnavailableError(UnavailableError):
    """The vector store does not answer, or another process holds its folder."""

    slug = "vector-store-unavailable"
    title = "The vector store cannot be used right now"


class NotIndexedError(NotFoundError):
    """The workshop, or this version of it, is not indexed."""

    slug = "not-indexed"
    title = "This is not indexed"


class IndexGoneError(NotIndexedError):
    """The collection was dropped between being looked up and being read."""

    slug = "index-gone"
    title = "The index was replaced while it was being read"


class IndexLostError(ConflictError):
    """An index was taken away from the agent that was building it."""

    slug = "index-lost"
    title = "The index was given up while it was being built"


class ShelfGoneError(IndexGoneError):
    """The same of the shared documents' collection, which a workshop's own search can do without."""
