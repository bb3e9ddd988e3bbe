"""The page for authors and ops, and the list of workshops for everybody."""
