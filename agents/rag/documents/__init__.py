"""Shared documents: read from many formats, indexed in a scope of their own, seen by the workshops whose context allows it."""
