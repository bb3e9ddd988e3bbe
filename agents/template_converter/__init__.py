"""What is this repository, and what workshop is in it? Nothing found in a repository is ever executed."""
