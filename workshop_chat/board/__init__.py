"""The instructor's live board: who is on which step, who is stuck and why, whose hand is up."""
