"""Other ways to ask the same assistant: each face translates, and decides nothing."""
