"""The library's errors."""

from shared_services.kit.errors import NotFoundError


class WorkshopNotFoundError(NotFoundError):
    """No such workshop, version or file."""

    slug = "workshop-not-found"
    title = "There is no such workshop"
