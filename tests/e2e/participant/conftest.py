"""The chat agent of a small workshop, served for a browser."""

from tests.browser import chromium

__all__ = ["chromium"]
