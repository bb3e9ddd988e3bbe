"""The participant's pages of one workshop: steps, files, joining, and the assistant beside them."""
