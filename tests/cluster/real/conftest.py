"""A platform on a real node for the whole run: images, surroundings, the shared core and three workshops by the script."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster import images
from tests.cluster.clusters import Cluster
from tests.cluster.deployment import Platform, Workshop
from tests.cluster.kubectl import Kubectl
from tests.cluster.stage import Stage, stage

OVERLAY = Path(__file__).parents[1] / "overlays" / "core"
WORKSHOPS = {"clinic": "healthcare-ml", "shop": "spring-boot", "harbor": "k8s-security"}
"""Names apart from their types, so that what takes one for the other is seen."""
SENTENCE = "The workshop says how it is done. [1]"


@pytest.fixture(scope="session")
def built_images() -> None:
    """The product's images from this tree, and the stand-ins, on this machine."""
    images.build_all()


@pytest.fixture(scope="session")
def scene(real_cluster: Cluster, built_images: None) -> Iterator[Stage]:
    """The model's server and the door, in the cluster."""
    for image in images.ALL:
        images.hand_over(image, real_cluster)
    with stage(real_cluster, images.reference(images.SLIM, real_cluster)) as made:
        yield made


@pytest.fixture(scope="session")
def platform(real_cluster: Cluster, scene: Stage) -> Iterator[Platform]:
    """Where workshops are deployed; the core comes with the first."""
    # Beside the overlay: kustomize takes no absolute addresses.
    with tempfile.TemporaryDirectory(dir=OVERLAY.parent, prefix=".run-") as folder:
        kustomization = {"resources": [os.path.relpath(OVERLAY, folder)], "images": images.replacements(real_cluster)}
        (Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        yield Platform(Kubectl(real_cluster.kubeconfig), scene, Path(folder))


@pytest.fixture(scope="session")
def first_workshop(platform: Platform) -> Workshop:
    """The first one, on an empty cluster: the script deploys the core for it."""
    name, kind = next(iter(WORKSHOPS.items()))
    return platform.deploy(name, kind, shared=True)


@pytest.fixture(scope="session")
def workshops(platform: Platform, first_workshop: Workshop) -> list[Workshop]:
    """All three."""
    rest = list(WORKSHOPS.items())[1:]
    return [first_workshop, *(platform.deploy(name, kind) for name, kind in rest)]


@pytest.fixture(autouse=True)
def _usual_model(request: pytest.FixtureRequest) -> None:
    """Every test begins with a model that answers at once."""
    scene: Stage = request.getfixturevalue("scene")
    scene.model.say(SENTENCE)
