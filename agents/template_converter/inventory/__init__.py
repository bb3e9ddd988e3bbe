"""What an application holds: read from its files, never run."""
