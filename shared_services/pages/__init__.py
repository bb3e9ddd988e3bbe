"""What every page shares: CommonMark rendered to sanitized HTML, the base template, styles, icons and static files."""
