"""The processes of a cluster that the tool started, ended and started again as a machine's supervisor would.

The tool keeps a folder: `pid/NAME` holds a process id and its start time, `log/NAME.log` what it wrote.
"""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_SUPERVISED = """\
#!/bin/sh
# Starts the kubelet again when it ends, as systemd does on a machine; the tool alone would take the whole node down.
[ "$*" = --version ] && exec {kubelet} --version
while :; do
  {kubelet} "$@"
  echo "kubelet ended with $?" >&2
  sleep 1
  while [ -e {hold} ]; do sleep 0.2; done
done
"""

_DETACHED = 'setsid "$@" >>"$0" 2>&1 </dev/null & echo $!'
"""Outlives this process, which therefore need not wait for it."""


def binaries() -> Path:
    """Where the tool keeps what it built."""
    return Path(os.environ.get("CONTROLPLANE_HOME") or Path.home() / ".cache" / "controlplane") / "bin"


def supervised_home(folder: Path) -> Path:
    """A CONTROLPLANE_HOME whose kubelet is started again when it is killed; the other programs are those of `binaries`."""
    home = folder / "home"
    (home / "bin").mkdir(parents=True)
    for program in binaries().iterdir():
        (home / "bin" / program.name).symlink_to(program)
    wrapper = home / "bin" / "kubelet"
    wrapper.unlink()
    wrapper.write_text(
        _SUPERVISED.format(kubelet=shlex.quote(str(binaries() / "kubelet")), hold=shlex.quote(str(folder / "hold-kubelet")))
    )
    wrapper.chmod(0o755)
    return home


def kill_kubelet(folder: Path, *, stays_dead: bool = False) -> None:
    """Kill the real node's kubelet; it comes back a second later, or where `stays_dead`, by `revive_kubelet`.

    Raises:
        ProcessLookupError: There is none.
    """
    if stays_dead:
        (folder / "hold-kubelet").touch()
    os.kill(_pid_of(str(binaries() / "kubelet"), str(folder / "node" / "kubelet.yaml")), signal.SIGKILL)


def revive_kubelet(folder: Path) -> None:
    """Let the kubelet start again."""
    (folder / "hold-kubelet").unlink(missing_ok=True)


def restart_api_server(folder: Path, *, down_seconds: float = 0.0) -> None:
    """End the API server, wait, and start it with the arguments it had."""
    file = folder / "pid" / "kube-apiserver"
    pid = int(file.read_text().split()[0])
    arguments = [word.decode() for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]]
    os.kill(pid, signal.SIGTERM)
    if not _until(lambda: not _alive(pid), 2):
        os.kill(pid, signal.SIGKILL)
        _until(lambda: not _alive(pid), 10)
    time.sleep(down_seconds)
    log = str(folder / "log" / "kube-apiserver.log")
    started = subprocess.run(["sh", "-c", _DETACHED, log, *arguments], capture_output=True, text=True, check=True)
    new = int(started.stdout)
    file.write_text(f"{new} {_start_time(new)}\n")


def _alive(pid: int) -> bool:
    try:
        # A zombie is dead; nobody may have waited for it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def _start_time(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19]


def _until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _pid_of(program: str, argument: str) -> int:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[0] == program and argument in words:
            return int(folder.name)
    raise ProcessLookupError(f"no process `{program} ... {argument}`")
