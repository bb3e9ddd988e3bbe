"""The API server takes every object that is rendered, without a warning: schemas, admission, and the standard `restricted` for pods.

It is asked in namespaces made for it, which have the labels of the real ones, so that what else stands in the cluster is left alone.
"""

import copy
import uuid
from collections.abc import Iterator

import pytest
import yaml

from tests.cluster.kubectl import Kubectl
from tests.contract.manifests.rendering import (
    CUSTOM,
    IN_A_WORKSHOP,
    IN_THE_CORE,
    Object,
    have_kubectl,
    of_kind,
    overlays,
    place_of,
    rendered,
    spare_bases,
    spare_components,
    with_component,
)

pytestmark = pytest.mark.skipif(not have_kubectl(), reason="needs kubectl")


@pytest.fixture(scope="module")
def aside(kubectl: Kubectl) -> Iterator[dict[str, str]]:
    """Namespaces that stand for those of the core and of a workshop, by role."""
    made = {}
    try:
        for place in (IN_THE_CORE, IN_A_WORKSHOP):
            namespace = copy.deepcopy(of_kind(rendered(place.overlay), "Namespace")[0])
            role, name = namespace["metadata"]["labels"]["workshop-role"], f"dry-run-{uuid.uuid4().hex[:8]}"
            namespace["metadata"] = {"name": name, "labels": namespace["metadata"]["labels"]}
            kubectl("create", "-f", "-", text=yaml.safe_dump(namespace))
            made[role] = name
        yield made
    finally:
        for name in made.values():
            kubectl.run("delete", "namespace", name, "--wait=false")


def moved(objects: tuple[Object, ...], aside: dict[str, str]) -> str:
    """The objects in the namespaces set aside, as text; kinds of operators that the cluster may lack are left out."""
    kept = []
    for item in objects:
        if item["kind"] in CUSTOM:
            continue
        one = copy.deepcopy(item)
        if one["kind"] == "Namespace":
            one["metadata"]["name"] = f"{aside['dedicated-instance']}-x"
        elif "namespace" in one["metadata"]:
            core = one["metadata"]["namespace"] == IN_THE_CORE.namespace
            one["metadata"]["namespace"] = aside["shared-infrastructure" if core else "dedicated-instance"]
        kept.append(one)
    return yaml.safe_dump_all(kept)


TAKEN = (0, "")


def answer(kubectl: Kubectl, text: str) -> tuple[int, str]:
    """What the API server says of these objects; `TAKEN` where it would take them and has nothing to say."""
    done = kubectl.run("apply", "--server-side", "--dry-run=server", "--field-manager=workshop-deploy", "-f", "-", text=text)
    return done.returncode, done.stderr


@pytest.mark.parametrize("overlay", [*overlays(), *spare_bases()])
def test_an_overlay_is_taken(kubectl: Kubectl, aside: dict[str, str], overlay: str) -> None:
    assert answer(kubectl, moved(rendered(overlay), aside)) == TAKEN


@pytest.mark.parametrize("component", spare_components())
def test_a_component_is_taken_where_it_belongs(kubectl: Kubectl, aside: dict[str, str], component: str) -> None:
    assert answer(kubectl, moved(with_component(component, place_of(component)), aside)) == TAKEN


def test_a_pod_that_is_not_restricted_is_warned_of(kubectl: Kubectl, aside: dict[str, str]) -> None:
    objects = copy.deepcopy(rendered(IN_THE_CORE.overlay))
    del next(item for item in objects if item["kind"] == "StatefulSet")["spec"]["template"]["spec"]["securityContext"]
    assert "would violate PodSecurity" in answer(kubectl, moved(objects, aside))[1]
