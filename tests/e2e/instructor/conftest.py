"""A chat agent whose workshop is full of people, served for an instructor's browser."""

from tests.browser import chromium

__all__ = ["chromium"]
