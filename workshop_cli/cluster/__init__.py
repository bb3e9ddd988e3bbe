"""Prepares and steers a cluster: roles and schemas of PostgreSQL, credentials, content. Run by Jobs and in the console's pods."""
