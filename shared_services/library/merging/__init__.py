"""Three versions of a workshop made one; pure functions over files in memory."""

from shared_services.library.merging.workshops import Merged, merge_workshops, with_origin

__all__ = ["Merged", "merge_workshops", "with_origin"]
