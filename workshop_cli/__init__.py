"""The command `workshop`, and the process that holds every service; the only room that puts rooms together."""
