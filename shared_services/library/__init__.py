"""Published versions of workshops, and the neutral form on disk."""
