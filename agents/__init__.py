"""Shared agents. None imports another; each is reached through `shared_services.clients`."""
