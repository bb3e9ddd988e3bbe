"""Sphinx sites and single pages of reStructuredText or MyST Markdown, read page by page into CommonMark with places."""
