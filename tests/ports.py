"""Ports for servers that tests start as processes, which take seconds from being told their port until they listen on it."""

import os
import socket
from itertools import count

FIRST, LAST = 20_000, 32_000
"""Below those that the system gives to whoever connects (32768 to 60999), of which one may be taken in these seconds."""
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_NUMBERS = count((os.getpid() * 97 + _WORKER * 3_001) % (LAST - FIRST))


def free_port() -> int:
    """A port of this machine on which nobody listens; another one each time."""
    for number in _NUMBERS:
        port = FIRST + number % (LAST - FIRST)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("unreachable")
