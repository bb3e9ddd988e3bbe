"""Which of a repository's Kubernetes manifests a person applies: those of one folder, or the one that gathers it."""

import posixpath
from dataclasses import dataclass

from agents.template_converter import signals
from shared_services.contracts.inventory import KubernetesObject

_RUNS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Pod", "Service", "DeploymentConfig", "Job"})
_KUSTOMIZE = frozenset({"kustomization.yaml", "kustomization.yml"})


@dataclass(frozen=True)
class Manifests:
    """Objects that are applied together, and the command that does it."""

    objects: list[KubernetesObject]
    command: str


def manifests_of(objects: list[KubernetesObject]) -> Manifests | None:
    """The manifests of the folder with most of what runs, the topmost of such; None where nothing runs."""
    folders: dict[str, list[KubernetesObject]] = {}
    for row in objects:
        if not any(part in ("templates", "crds") for part in row.path.split("/")) and not signals.is_showcase(
            posixpath.dirname(row.path)
        ):
            folders.setdefault(posixpath.dirname(row.path), []).append(row)
    running = {
        folder: sum(row.kind in _RUNS for row in rows)
        for folder, rows in folders.items()
        if any(row.kind in _RUNS - {"Service"} for row in rows)
    }
    if not running:
        return None
    folder = min(running, key=lambda name: (-running[name], name.count("/"), name))
    rows = folders[folder]
    gathered = next((row.path for row in rows if posixpath.basename(row.path) in _KUSTOMIZE), None)
    plain = [row for row in rows if posixpath.basename(row.path) not in _KUSTOMIZE]
    if gathered:
        return Manifests(plain, f"kubectl apply -k {folder or '.'}")
    paths = list(dict.fromkeys(row.path for row in plain))
    return Manifests(plain, f"kubectl apply -f {paths[0] if len(paths) == 1 else folder or '.'}")
