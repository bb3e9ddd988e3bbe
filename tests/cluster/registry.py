"""A registry of images on the loopback address, thrown away with its folder."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CONFIG = """\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: "{address}"}}
"""


@contextmanager
def local_registry(folder: Path) -> Iterator[str]:
    """A running registry; gives its address, host:port.

    Raises:
        RuntimeError: It did not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config, written = folder / "registry.yml", folder / "registry.log"
    config.write_text(_CONFIG.format(folder=folder, address=address))
    with written.open("w") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for_port(address, process, written)
        yield address
    finally:
        process.kill()
        process.wait(10)


def _wait_for_port(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    host, port = address.split(":")
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the registry did not start:\n{log.read_text()[-2000:]}")
