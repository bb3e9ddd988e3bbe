"""Typed clients of the agents and services: the same one in the process on the laptop and over HTTP elsewhere."""
