"""How long the script takes on a ready core, from its start to a chat agent that has answered with a citation.

    python -m benchmarks.deploy_time [--runs 3] [--type healthcare-ml] [--core OVERLAY] [--json]

It deploys a workshop of a name of its own on the cluster of KUBECONFIG, where the core must be ready and the images on the nodes,
as often as asked, and deletes it each time. `--core` says the overlay of a core that is not the shipped one. Goal: 60 seconds.
"""

import argparse
import json
import re
import secrets
import statistics
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "deploy-multi-workshop.sh"
GOAL_SECONDS = 60.0


class DeployError(Exception):
    """The script failed; the message ends with what it wrote."""


def deploy_and_delete(kind: str, core: str | None) -> tuple[float, list[str]]:
    """One run; gives its seconds and the script's own account of them.

    Raises:
        DeployError: It failed.
    """
    name = f"timed-{secrets.token_hex(3)}"
    overlay = ["--core", core] if core else []
    begin = time.monotonic()
    try:
        written = _script(name, kind, "50", "false", *overlay)
        return time.monotonic() - begin, re.findall(r"^.*\b\d+(?:\.\d+)? s\b.*$", written, re.MULTILINE)
    finally:
        _script(name, "--delete", "--yes", *overlay)


def _script(*arguments: str) -> str:
    done = subprocess.run([str(SCRIPT), *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise DeployError(
            f"`{SCRIPT.name} {' '.join(arguments)}` ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.stdout + done.stderr


def main() -> int:
    """Measure and print; 1 where it failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=3, help="how often (3)")
    parser.add_argument("--type", default="healthcare-ml", dest="kind", help="the workshop's type (healthcare-ml)")
    parser.add_argument("--core", help="the overlay of the core that is deployed")
    parser.add_argument("--json", action="store_true", help="print JSON")
    wanted = parser.parse_args()
    seconds = []
    try:
        for _ in range(wanted.runs):
            took, account = deploy_and_delete(wanted.kind, wanted.core)
            seconds.append(round(took, 1))
            print(f"{took:.1f} s", *account, sep="\n  ", file=sys.stderr)
    except DeployError as error:
        print(error, file=sys.stderr)
        return 1
    found = {"seconds": seconds, "median": statistics.median(seconds), "goal": GOAL_SECONDS}
    print(json.dumps(found) if wanted.json else f"{found['median']} s (median of {len(seconds)}; goal {GOAL_SECONDS:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
