"""What the kustomizations of this repository render, as objects.

Everything is rendered by `kubectl kustomize`, the program that applies it. A component is rendered on the overlay that it is for.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

Object = dict[str, Any]

ROOT: Final = Path(__file__).parents[3]
CORE: Final = "workshop-core-system"
NEEDS_KUBECTL: Final = "needs kubectl: `kubectl kustomize` renders what is checked here"
OWN_IMAGES: Final = {"workshop-assistant", "workshop-assistant-rag"}
CUSTOM: Final = {"Route", "HTTPRoute", "ServiceMonitor", "PodMonitor", "PrometheusRule"}
"""Kinds of operators that a cluster may have or not."""

_WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class RenderingError(AssertionError):
    """A kustomization that cannot be rendered, or only with warnings."""


def have_kubectl() -> bool:
    """Whether anything can be rendered here."""
    return shutil.which("kubectl") is not None


def kustomizations(below: str) -> list[str]:
    """Every folder below `below` that holds a kustomization, from the repository's root."""
    return sorted(str(path.parent.relative_to(ROOT)) for path in (ROOT / below).rglob("kustomization.yaml"))


def overlays() -> list[str]:
    """What `kubectl apply -k` is for."""
    return kustomizations("overlays")


def components() -> list[str]:
    """What overlays put together."""
    return kustomizations("kubernetes/components")


def spare_components() -> list[str]:
    """The components that no overlay takes: what a cluster may have besides."""
    taken = {component for overlay in overlays() for component in used_components(overlay)}
    return [component for component in components() if component not in taken]


def bases() -> list[str]:
    """One folder a part."""
    return kustomizations("kubernetes/base")


@cache
def rendered(folder: str) -> tuple[Object, ...]:
    """The objects of one kustomization.

    Raises:
        RenderingError: It cannot be rendered, or kubectl warns.
    """
    return _render(ROOT / folder, folder)


@dataclass(frozen=True)
class Place:
    """Where a component is put in: an overlay, the settings that it may build on, and what comes after it."""

    overlay: str
    config_map: str
    namespace: str
    settings: str
    after: tuple[str, ...] = ()


IN_THE_CORE: Final = Place("overlays/shared-infrastructure", "console", CORE, "WORKSHOP_PUBLIC_URL=https://console.example.org")
IN_A_WORKSHOP: Final = Place(
    "overlays/workshop",
    "chat-agent",
    "name-workshop",
    "CHAT_PUBLIC_URL=https://name.example.org",
    ("kubernetes/components/workshop-name",),
)


def place_of(component: str) -> Place:
    """Where a component belongs, by its folder: `.../workshop` is for workshops, any other for the core."""
    return IN_A_WORKSHOP if component.rpartition("/")[2].startswith("workshop") else IN_THE_CORE


@cache
def with_component(component: str | None, place: Place) -> tuple[Object, ...]:
    """The objects of a place with one component more, or with its settings alone where it is in that already.

    Raises:
        RenderingError: It cannot be rendered, or kubectl warns.
    """
    if component in used_components(place.overlay):
        component = None
    after = [one for one in place.after if one != component]
    settings: Object = {"name": place.config_map, "namespace": place.namespace, "behavior": "merge", "literals": [place.settings]}
    if place is IN_A_WORKSHOP:
        settings["options"] = {"disableNameSuffixHash": True, "labels": {"workshop-type": "custom"}}
    more = {"configMapGenerator": [settings]}
    return _over(
        [ROOT / place.overlay], [ROOT / one for one in (component, *after) if one], more, f"{place.overlay} with {component}"
    )


def with_resource(folder: Path, overlay: str) -> tuple[Object, ...]:
    """The objects of an overlay with one folder more.

    Raises:
        RenderingError: It cannot be rendered, or kubectl warns.
    """
    return _over([ROOT / overlay, folder.resolve()], [], {}, f"{overlay} with {folder}")


def _over(resources: list[Path], parts: list[Path], more: Object, name: str) -> tuple[Object, ...]:
    with tempfile.TemporaryDirectory() as folder:
        # kustomize compares real paths; a relative one must lead from where the folder really is.
        here = Path(folder).resolve()
        text = yaml.safe_dump(
            {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "resources": [os.path.relpath(one, here) for one in resources],
                "components": [os.path.relpath(one, here) for one in parts],
                **more,
            }
        )
        (here / "kustomization.yaml").write_text(text)
        return _render(here, name)


def _render(folder: Path, name: str) -> tuple[Object, ...]:
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode or done.stderr.strip():
        raise RenderingError(f"{name}: {done.stderr.strip() or 'kubectl kustomize failed'}")
    return tuple(item for item in yaml.load_all(done.stdout, Loader=_LOADER) if item)


def spare_bases() -> list[str]:
    """The parts that no overlay takes: what the script applies by itself."""
    taken = {resource for overlay in overlays() for resource in _parts(overlay, "resources")}
    return [base for base in bases() if base not in taken]


def used_components(folder: str) -> set[str]:
    """The components that a kustomization takes, those of what it stands on too."""
    return _parts(folder, "components")


def _parts(folder: str, wanted: str) -> set[str]:
    content = yaml.safe_load((ROOT / folder / "kustomization.yaml").read_text())
    found: set[str] = set()
    for kind in ("components", "resources"):
        for entry in content.get(kind) or []:
            path = (ROOT / folder / entry).resolve()
            if path.is_dir():
                inner = str(path.relative_to(ROOT))
                found |= _parts(inner, wanted) | ({inner} if kind == wanted else set())
    return found


def identity(item: Object) -> str:
    """Kind, namespace and name, as a person looks for it."""
    meta = item["metadata"]
    return f"{item['kind']} {meta.get('namespace', '')}/{meta['name']}"


@dataclass(frozen=True)
class Workload:
    """A Deployment, StatefulSet, DaemonSet, Job or CronJob."""

    item: Object

    @property
    def name(self) -> str:
        """Kind, namespace and name."""
        return identity(self.item)

    @property
    def namespace(self) -> str:
        """Where it runs."""
        namespace: str = self.item["metadata"].get("namespace", "")
        return namespace

    @property
    def template(self) -> Object:
        """The template of its pods."""
        spec = self.item["spec"]
        if self.item["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        template: Object = spec["template"]
        return template

    @property
    def labels(self) -> dict[str, str]:
        """Its pods' labels."""
        labels: dict[str, str] = self.template.get("metadata", {}).get("labels", {})
        return labels

    @property
    def pod(self) -> Object:
        """Its pods' spec."""
        spec: Object = self.template["spec"]
        return spec

    @property
    def containers(self) -> list[Object]:
        """Every container, those that run first too."""
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def serves(self) -> bool:
        """Whether it runs until it is stopped, not until it is done."""
        return self.item["kind"] not in {"Job", "CronJob"}

    @property
    def ours(self) -> bool:
        """Whether it runs this project's image."""
        return any(image_name(container["image"]) in OWN_IMAGES for container in self.containers)


def image_name(image: str) -> str:
    """The last part of an image's name, without registry, tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def workloads(objects: Iterable[Object]) -> Iterator[Workload]:
    """The objects that make pods."""
    return (Workload(item) for item in objects if item["kind"] in _WORKLOADS)


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    """The objects of some kinds."""
    return [item for item in objects if item["kind"] in kinds]


def selects(selector: Object | None, labels: dict[str, str]) -> bool:
    """Whether a LabelSelector selects these labels: an empty one selects all, none selects nothing."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(expression, labels) for expression in selector.get("matchExpressions") or [])


def _holds(expression: Object, labels: dict[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", [])
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case other:
            raise ValueError(f"no such operator: {other}")
