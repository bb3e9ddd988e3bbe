"""A PostgreSQL server of a test's own: Debian's binaries, a folder that is thrown away, one port on the loopback address."""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tests.ports import free_port

BINARIES = Path("/usr/lib/postgresql")
USER = "postgres"


def postgres_binaries() -> Path | None:
    """The folder with the newest server's `initdb` and `pg_ctl`; None where there is none."""
    found = [folder for folder in BINARIES.glob("*/bin") if (folder / "initdb").exists() and (folder / "pg_ctl").exists()]
    return max(found, key=lambda folder: float(folder.parent.name), default=None)


def _as_server_user(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", USER, "--", *command] if os.geteuid() == 0 else command


class Outage:
    """Takes a throw-away server away and brings it back.

    Args:
        admin_url: Of a running one, as `throwaway_postgres` gives it.
    """

    def __init__(self, admin_url: str) -> None:
        with psycopg.connect(admin_url) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        assert row is not None
        self._data = Path(row[0])
        # Its command line, without what pg_ctl adds itself.
        options = shlex.split((self._data / "postmaster.opts").read_text())[1:]
        place = options.index("-D")
        self._options = options[:place] + options[place + 2 :]

    def begin(self) -> None:
        """Stop the server as a crash does."""
        self._control("-m", "immediate", "stop")

    def end(self) -> None:
        """Start it again, at the same address."""
        self._control("-l", str(self._data.parent / "log"), "-o", shlex.join(self._options), "start")

    def _control(self, *command: str) -> None:
        binaries = postgres_binaries()
        assert binaries is not None
        whole = _as_server_user([f"{binaries}/pg_ctl", "-D", str(self._data), "-w", *command])
        subprocess.run(whole, check=True, cwd=self._data.parent, stdout=subprocess.DEVNULL, timeout=60)


@contextmanager
def throwaway_postgres(password: str | None = None) -> Iterator[str]:
    """A running server; gives `postgresql://...` of its one, empty database. Skips the test where the server is not installed.

    Args:
        password: The administrator's; then every role needs its own. Without it everybody is let in.
    """
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip(f"needs PostgreSQL's initdb and pg_ctl under {BINARIES} (Debian's package `postgresql`)")
    # Not the test's own folder: the server's user must reach it, and its socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    data, port = folder / "data", free_port()

    def run(*command: str) -> None:
        subprocess.run(_as_server_user(list(command)), check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=60)

    try:
        if os.geteuid() == 0:
            shutil.chown(folder, USER, USER)
        auth = ["--auth=trust"]
        if password is not None:
            secret = folder / "password"
            secret.write_text(password)
            if os.geteuid() == 0:
                shutil.chown(secret, USER, USER)
            auth = ["--auth=scram-sha-256", f"--pwfile={secret}"]
        run(f"{binaries}/initdb", "-D", str(data), "-U", USER, *auth, "--no-sync", "-E", "UTF8", "--locale=C")
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off -c shared_buffers=16MB"
        run(f"{binaries}/pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://{USER}{'' if password is None else ':' + quote(password, safe='')}@127.0.0.1:{port}/postgres"
        finally:
            run(f"{binaries}/pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
