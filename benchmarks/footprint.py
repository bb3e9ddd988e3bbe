"""What workshops ask of a cluster, shared and dedicated: `python -m benchmarks.footprint [--json]`.

The figures are sums of the requests in the manifests, rendered by `kubectl kustomize` from `overlays/shared-infrastructure` and
`overlays/workshop`. Jobs are left out: they end. An autoscaled agent counts with its least number of replicas.

- `shared`: one core, and a chat agent for each workshop. `dedicated`: the same components with the same requests, each workshop
  with all of its own.
- `saving`: the share of the dedicated deployment that the shared one does not ask for; of cores and memory the smaller one.
  However small a workshop's own part is, it cannot pass `ceiling`, 1 - 1/N.
- Milvus and the model's server stand apart: their requests are their own documentation's, not measured here, and are so much
  larger than the rest that they would hide it. `with_milvus_and_model` is the same sum with one of each (shared) or one for each
  workshop (dedicated).
- `original`: what the design that this one follows set for three workshops.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

WORKSHOPS = (1, 3, 10, 100)
OVERLAYS = Path(__file__).resolve().parent.parent / "overlays"
CORE, WORKSHOP = OVERLAYS / "shared-infrastructure", OVERLAYS / "workshop"
GOAL = {"workshops": 3, "cores": 4.0, "gib": 8.0}
MILVUS = "milvus"
GIB = 1024**3

_UNITS = {
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "Ki": Decimal(1024),
    "Mi": Decimal(1024**2),
    "Gi": Decimal(1024**3),
    "Ti": Decimal(1024**4),
}


@dataclass(frozen=True)
class Requests:
    """Cores, bytes of memory and pods."""

    cores: Decimal = Decimal(0)
    memory: Decimal = Decimal(0)
    pods: int = 0

    def __add__(self, other: "Requests") -> "Requests":
        return Requests(self.cores + other.cores, self.memory + other.memory, self.pods + other.pods)

    def __mul__(self, times: int) -> "Requests":
        return Requests(self.cores * times, self.memory * times, self.pods * times)

    def told(self) -> dict[str, float]:
        """As it is printed."""
        return {"cores": round(float(self.cores), 3), "gib": round(float(self.memory / GIB), 3), "pods": self.pods}


MODEL = Requests(Decimal(2), Decimal(6 * 10**9), 1)
"""One server of a 7B model, beside one GPU: the requests in vLLM's documentation (docs/deployment/k8s.md, Mistral-7B)."""

ORIGINAL = {
    "workshops": 3,
    "dedicated": {"cores": 36, "gib": 72, "pods": 18},
    "shared": {"cores": 16, "gib": 32, "pods": 8},
    "saving": 0.556,
    "chat_agent": {"cores": 2, "gib": 4},
}
"""The original design's own figures; the pods of a dedicated workshop there are six."""


HELD = {
    "chat-agent": {
        "participants": 60,
        "questions_a_minute": 30,
        "of": "one replica within its request",
        "command": "python -m benchmarks.replica",
    },
    "console": {"requests_a_minute": 600, "of": "one replica", "command": "python -m benchmarks.core"},
}
"""What load tests showed of these requests (docs/figures.md); measured once, and not by this command."""


def quantity(text: str | int | float) -> Decimal:
    """Kubernetes' notation, e.g. `100m`, `128Mi` or `2`, as a number of cores or bytes.

    Raises:
        ValueError: It is none.
    """
    given = str(text)
    unit = next((each for each in sorted(_UNITS, key=len, reverse=True) if given.endswith(each)), "")
    try:
        return Decimal(given.removesuffix(unit)) * _UNITS.get(unit, Decimal(1))
    except ArithmeticError as error:
        raise ValueError(f"{given!r} is no quantity of Kubernetes") from error


def of_pod(pod: Mapping[str, Any]) -> Requests:
    """What the scheduler reserves for a pod: its containers together, or its largest initial one where that is more.

    Raises:
        ValueError: A container requests nothing.
    """

    def of(container: Mapping[str, Any]) -> Requests:
        try:
            asked = container["resources"]["requests"]
            return Requests(quantity(asked["cpu"]), quantity(asked["memory"]))
        except KeyError as error:
            raise ValueError(f"container {container['name']} requests no {error}") from error

    running = sum((of(each) for each in pod["containers"]), Requests())
    first = [of(each) for each in pod.get("initContainers", ())]
    return Requests(
        max([running.cores, *(each.cores for each in first)]), max([running.memory, *(each.memory for each in first)]), 1
    )


def of_objects(objects: Iterable[Mapping[str, Any]]) -> dict[str, Requests]:
    """What each Deployment and StatefulSet asks for, all its replicas together."""
    listed = list(objects)
    least = {
        (scaler["spec"]["scaleTargetRef"]["kind"], scaler["spec"]["scaleTargetRef"]["name"]): scaler["spec"].get("minReplicas", 1)
        for scaler in listed
        if scaler["kind"] == "HorizontalPodAutoscaler"
    }
    found: dict[str, Requests] = {}
    for each in listed:
        if each["kind"] in ("Deployment", "StatefulSet"):
            name = each["metadata"]["name"]
            replicas = each["spec"].get("replicas", least.get((each["kind"], name), 1))
            found[name] = of_pod(each["spec"]["template"]["spec"]) * replicas
    return found


def total(parts: Mapping[str, Requests], *, without: Sequence[str] = ()) -> Requests:
    """The sum of all parts but some."""
    return sum((each for name, each in parts.items() if name not in without), Requests())


def saving(shared: Requests, dedicated: Requests) -> float:
    """The share that is not asked for; of cores and memory the smaller."""
    return float(min(1 - shared.cores / dedicated.cores, 1 - shared.memory / dedicated.memory))


def compare(core: Mapping[str, Requests], workshop: Mapping[str, Requests], workshops: int) -> dict[str, Any]:
    """Both deployments of so many workshops."""
    own, one = total(core, without=[MILVUS]), total(workshop)
    shared, dedicated = own + one * workshops, (own + one) * workshops
    apart = core.get(MILVUS, Requests()) + MODEL
    return {
        "shared": shared.told(),
        "dedicated": dedicated.told(),
        "saving": round(saving(shared, dedicated), 3),
        "ceiling": round(1 - 1 / workshops, 3),
        "with_milvus_and_model": {
            "shared": (shared + apart).told(),
            "dedicated": (dedicated + apart * workshops).told(),
            "saving": round(saving(shared + apart, dedicated + apart * workshops), 3),
        },
    }


def rendered(overlay: Path) -> list[dict[str, Any]]:
    """An overlay's objects.

    Raises:
        RuntimeError: kubectl is missing, or does not render it.
    """
    try:
        done = subprocess.run(["kubectl", "kustomize", str(overlay)], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise RuntimeError("kubectl is not installed; it renders the manifests") from error
    if done.returncode:
        raise RuntimeError(f"kubectl kustomize {overlay} failed:\n{done.stderr}")
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def measure() -> dict[str, Any]:
    """Everything that is printed."""
    core, workshop = of_objects(rendered(CORE)), of_objects(rendered(WORKSHOP))
    found = {str(number): compare(core, workshop, number) for number in WORKSHOPS}
    reached = found[str(GOAL["workshops"])]["shared"]
    return {
        "workshops": found,
        "core": {name: each.told() for name, each in core.items() if name != MILVUS},
        "workshop": {name: each.told() for name, each in workshop.items()},
        "apart": {"milvus": core.get(MILVUS, Requests()).told(), "model": MODEL.told()},
        "held": HELD,
        "original": ORIGINAL,
        "goal": {**GOAL, "reached": reached["cores"] <= GOAL["cores"] and reached["gib"] <= GOAL["gib"]},
    }


def _print(found: Mapping[str, Any]) -> None:
    def line(name: str, asked: Mapping[str, float]) -> str:
        return f"{name:28} {asked['cores']:8.2f} cores {asked['gib']:8.2f} GiB {asked['pods']:5d} pods"

    print("The core")
    for name, asked in found["core"].items():
        print(" ", line(name, asked))
    print("A workshop more")
    for name, asked in found["workshop"].items():
        print(" ", line(name, asked))
    print("Apart, by their own documentation")
    for name, asked in found["apart"].items():
        print(" ", line(name, asked))
    print("Held, as measured by the command")
    for name, held in found["held"].items():
        what = ", ".join(f"{value} {key.replace('_', ' ')}" for key, value in held.items() if isinstance(value, int))
        print(f"  {name:28} {what} ({held['of']}; {held['command']})")
    for number, each in found["workshops"].items():
        print(f"\n{number} workshop{'s' * (number != '1')}: saving {each['saving']:.1%}, ceiling {each['ceiling']:.1%}")
        print(" ", line("shared", each["shared"]))
        print(" ", line("dedicated", each["dedicated"]))
        whole = each["with_milvus_and_model"]
        print(" ", line("shared, Milvus and model", whole["shared"]))
        print(" ", line("dedicated, Milvus and model", whole["dedicated"]), f"  saving {whole['saving']:.1%}")
    original = found["original"]
    print(f"\nThe original design, {original['workshops']} workshops: saving {original['saving']:.1%}")
    print(" ", line("shared", original["shared"]))
    print(" ", line("dedicated", original["dedicated"]))
    goal = found["goal"]
    reached = "reached" if goal["reached"] else "MISSED"
    print(f"\nGoal, {goal['workshops']} workshops in {goal['cores']:g} cores and {goal['gib']:g} GiB: {reached}")


def main() -> int:
    """Render, sum up and print; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.footprint", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    try:
        found = measure()
    except (RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps(found))
    else:
        _print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
