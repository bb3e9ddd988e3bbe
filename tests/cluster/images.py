"""Images for the cluster: the product's own, built from this tree, and stand-ins for two that come from elsewhere.

They keep the names that the manifests say (`workshop-assistant:0.1.0`, `docker.io/library/postgres:17.7`): the tool's nodes look for every
name in the local registry, kind and k3d are given the images under these names. For a cluster that was given, the names
are replaced by those in its registry (`Images.replacements`).

A stand-in is the same program of the same release from Debian or PyPI, for machines that reach no registry of images.
"""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.clusters import CLUSTER_NAME, Cluster

ROOT = Path(__file__).resolve().parents[2]
_STAND_INS = Path(__file__).parent / "stand_ins"
_BUILD_SECONDS = 3600
VERSION = "0.1.0"
_BUILT_TAG = "cluster-test"


@dataclass(frozen=True)
class Image:
    """An image that the manifests name.

    Attributes:
        name: As a kustomization's `images` knows it.
        tag: The manifests' tag.
        build: Arguments of `buildah build` for a stand-in; none for the product's own.
    """

    name: str
    tag: str
    build: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Its path in a registry."""
        path = self.name.removeprefix("docker.io/")
        return f"{path if '/' in path else f'library/{path}'}:{self.tag}"

    @property
    def built(self) -> str:
        """The name of what was built here; apart from the real one's, which a stand-in must not be mistaken for."""
        return f"localhost/{self.path.replace('/', '-')}" if self.build else f"localhost/{self.name}:{_BUILT_TAG}"


SLIM = Image("workshop-assistant", VERSION)
RAG = Image("workshop-assistant-rag", VERSION)
POSTGRES = Image("docker.io/library/postgres", "17.7", ("--file", str(_STAND_INS / "postgres.Containerfile"), str(_STAND_INS)))
OGX = Image(
    "docker.io/ogxai/distribution-starter", "1.5.0", ("--file", str(_STAND_INS / "ogx.Containerfile"), str(ROOT / "tests"))
)
ALL = (SLIM, RAG, POSTGRES, OGX)


class ImageError(Exception):
    """An image could not be built or handed over; the message ends with what the program said."""


def build_all() -> None:
    """Build them; unchanged steps are taken from the cache."""
    _run(str(ROOT / "scripts" / "build-images"), _BUILT_TAG)
    for image in ALL:
        if image.build:
            _run("buildah", "build", "--isolation", "chroot", "--layers", "--quiet", "--tag", image.built, *image.build)


def hand_over(image: Image, cluster: Cluster) -> None:
    """Give the cluster's nodes the built image under the name that the manifests say."""
    if cluster.registry:
        _run("buildah", "push", "--quiet", "--tls-verify=false", image.built, f"docker://{cluster.registry}/{image.path}")
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = f"{folder}/image.tar"
        _run("buildah", "push", "--quiet", image.built, f"docker-archive:{archive}:docker.io/{image.path}")
        program = str(cluster.source.path)
        if cluster.source.kind == "kind":
            _run(program, "load", "image-archive", archive, "--name", CLUSTER_NAME)
        else:
            _run(program, "image", "import", archive, "--cluster", CLUSTER_NAME)


def replacements(cluster: Cluster) -> list[dict[str, str]]:
    """Entries of a kustomization's `images` for a cluster that knows its images by the registry's names alone."""
    if cluster.source.kind != "given" or cluster.folder is not None:
        return []
    return [
        {"name": image.name, "newName": f"{cluster.registry}/{image.path.rpartition(':')[0]}", "newTag": image.tag}
        for image in ALL
    ]


def reference(image: Image, cluster: Cluster) -> str:
    """What a pod's `image` says to get it."""
    return f"{cluster.registry}/{image.path}" if replacements(cluster) else f"docker.io/{image.path}"


def _run(*command: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False, env={**os.environ, "BUILDER": "buildah"}
    )
    if done.returncode:
        raise ImageError(f"`{' '.join(command)}` failed:\n{done.stdout[-1000:]}{done.stderr[-4000:]}")
