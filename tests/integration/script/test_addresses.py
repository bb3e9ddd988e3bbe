"""By what the script lets people reach a workshop, and under which host, as the cluster and the call offer it."""

import pathlib
import re

import pytest

from tests.integration.script.conftest import CORE, Deploying, Rule, rule

QUICK = ("--skip", "content,smoke")
PLAIN = "v1\napps/v1\nnetworking.k8s.io/v1\n"
ROUTES = rule("api-versions", f"{PLAIN}route.openshift.io/v1\n")
GATEWAY_API = rule("api-versions", f"{PLAIN}gateway.networking.k8s.io/v1\n")
OLD_GATEWAY_API = rule("api-versions", f"{PLAIN}gateway.networking.k8s.io/v1beta1\n")
BOTH = rule("api-versions", f"{PLAIN}gateway.networking.k8s.io/v1\nroute.openshift.io/v1\n")
CLASSES = rule("get ingressclasses", "nginx|\ntraefik|true\n")
ONE_CLASS = rule("get ingressclasses", "nginx|\n")
NO_DEFAULT = rule("get ingressclasses", "nginx|\ntraefik|\n")
ONE_GATEWAY = rule("get gateways.* -A", "infra/public\n")
TWO_GATEWAYS = rule("get gateways.* -A", "infra/public\nmesh/inner\n")
PATTERN = rule("get configmap console-abc", "https://{workshop}.example.org")
DOMAIN = rule("get ingresses.config.openshift.io", "apps.example.com")
FORBIDDEN = "Error from server (Forbidden): it is forbidden\n"


def dry_run(deploying: Deploying, rules: tuple[Rule, ...], *arguments: str) -> str:
    """What it says of the address, or why it does not go on."""
    deploying.answering(*rules)
    done = deploying("x", "spring-boot", *QUICK, "--dry-run", *arguments)
    found = re.search(r"^ +address: (.*)$", done.stdout, re.M)
    assert bool(found) == (done.returncode == 0), done.stdout + done.stderr
    return (found[1] if found else "") + done.stderr


@pytest.mark.parametrize(
    ("rules", "arguments", "said"),
    [
        ((ROUTES, PATTERN), (), "https://x.example.org/ by a Route"),
        ((ROUTES, DOMAIN), (), "https://x.apps.example.com/ by a Route"),
        ((ROUTES, PATTERN, DOMAIN), ("--host", "me.example.net"), "https://me.example.net/ by a Route"),
        ((BOTH, ONE_GATEWAY, PATTERN), (), "https://x.example.org/ by a Route"),
        ((BOTH, PATTERN, rule("get gateways")), ("--gateway", "a/b"), "https://x.example.org/ by an HTTPRoute of Gateway a/b"),
        ((GATEWAY_API, ONE_GATEWAY, PATTERN), (), "https://x.example.org/ by an HTTPRoute of Gateway infra/public"),
        ((GATEWAY_API, rule("get gateways"), CLASSES, PATTERN), (), "https://x.example.org/ by an Ingress"),
        ((OLD_GATEWAY_API, CLASSES, PATTERN), (), "https://x.example.org/ by an Ingress"),
        ((CLASSES, PATTERN), (), "https://x.example.org/ by an Ingress"),
        ((ONE_CLASS, PATTERN), (), "https://x.example.org/ by an Ingress of class nginx"),
        ((PATTERN,), (), "https://x.example.org/ by nothing of this cluster"),
        # No host, no address; and a host that all workshops would share is nobody's.
        ((ROUTES,), (), "none outside the cluster; no host is known"),
        ((CLASSES, DOMAIN), (), "none outside the cluster; no host is known"),
        ((CLASSES, rule("get configmap console-abc", "https://all.example.org/{workshop}")), (), "none outside the cluster"),
        ((CLASSES, rule("get configmap console-abc", "https://{workshop}.example.org:8443")), (), "none outside the cluster"),
        ((GATEWAY_API, TWO_GATEWAYS), (), "none outside the cluster; no host is known"),
    ],
)
def test_the_offer_and_the_host_are_chosen(deploying: Deploying, rules: tuple[Rule, ...], arguments: tuple[str, ...], said: str):
    assert dry_run(deploying, rules, *arguments).startswith(said)


def test_of_several_gateways_one_must_be_named(deploying: Deploying):
    assert "the cluster has several Gateways: infra/public, mesh/inner." in dry_run(
        deploying, (GATEWAY_API, TWO_GATEWAYS, PATTERN)
    )
    named = ("--gateway", "mesh/inner")
    assert "of Gateway mesh/inner" in dry_run(deploying, (GATEWAY_API, rule("get gateways.* inner -n mesh"), PATTERN), *named)


def test_of_several_classes_one_must_be_the_default(deploying: Deploying):
    assert "several IngressClasses, and none is the default: nginx, traefik." in dry_run(deploying, (NO_DEFAULT, PATTERN))


def test_a_gateway_that_is_not_there_is_refused(deploying: Deploying):
    missing = rule("get gateways.* b -n a", error='Error from server (NotFound): gateways "b" not found\n', status=1)
    assert "there is no Gateway a/b; the cluster has: infra/public" in dry_run(
        deploying, (GATEWAY_API, missing, ONE_GATEWAY, PATTERN), "--gateway", "a/b"
    )


def test_a_gateway_needs_the_gateway_api(deploying: Deploying):
    assert "does not have the Gateway API" in dry_run(deploying, (PATTERN,), "--gateway", "a/b")


def test_whoever_may_not_list_gateways_is_told_and_may_name_one(deploying: Deploying):
    hidden = rule("get gateways", error=FORBIDDEN, status=1)
    said = dry_run(deploying, (GATEWAY_API, hidden, CLASSES, PATTERN))
    assert said.startswith("https://x.example.org/ by an Ingress")
    assert "--gateway NAMESPACE/NAME uses one all the same" in said
    assert "of Gateway a/b" in dry_run(deploying, (GATEWAY_API, hidden, PATTERN), "--gateway", "a/b")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("CHAT_PUBLIC_URL=https://mine.example.net", "https://mine.example.net/ by an Ingress"),
        ("CHAT_PUBLIC_URL=http://localhost:8080", "none outside the cluster; CHAT_PUBLIC_URL of --values is not"),
    ],
)
def test_the_host_of_the_values_counts_before_the_core_s(deploying: Deploying, tmp_path: pathlib.Path, line: str, said: str):
    values = tmp_path / "values.env"
    values.write_text(f"{line}\n")
    assert dry_run(deploying, (CLASSES, PATTERN), "--values", str(values)).startswith(said)


def test_a_second_run_keeps_the_host_that_it_cannot_know(deploying: Deploying):
    there = rule("get namespace/", CORE + "x-workshop|Active|dedicated-instance|x|workshop-assistant|\n")
    own = rule("get configmap chat-agent", "https://first.example.net")
    assert dry_run(deploying, (there, own, CLASSES)).startswith("https://first.example.net/ by an Ingress")


def test_a_core_that_is_to_be_deployed_says_the_pattern_too(deploying: Deploying):
    rendered = rule(
        "kustomize .*/core$", "apiVersion: v1\ndata:\n  CONSOLE_WORKSHOP_URL: https://{workshop}.new.example\nkind: ConfigMap\n"
    )
    assert dry_run(deploying, (rule("get namespace/", ""), rendered, CLASSES)).startswith("https://x.new.example/ by an Ingress")


def test_the_address_of_an_earlier_run_goes_when_another_takes_its_place(deploying: Deploying):
    # OpenShift makes Routes of Ingresses, with names of its own.
    left = (
        "ingress.networking.k8s.io/chat-agent\nroute.route.openshift.io/chat-agent-7xk2p\nroute.route.openshift.io/chat-agent\n"
    )
    deploying.answering(
        ROUTES, PATTERN, rule("get ingresses.networking.* -o name", left), rule("get ingresses.networking.* -o go-template", "Route|+\n"),
        rule("delete ingress.networking.k8s.io/chat-agent"),
    )  # fmt: skip
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 0, done.stderr
    assert [words for words in deploying.changed if " delete " in words] == [
        "--request-timeout=30s delete ingress.networking.k8s.io/chat-agent -n x-workshop --ignore-not-found --wait=false"
    ]
    assert "Route: taken" in done.stdout


def test_one_that_may_not_be_removed_is_told_and_ends_nothing(deploying: Deploying):
    deploying.answering(
        ROUTES, PATTERN, rule("get ingresses.networking.* -o name", "ingress.networking.k8s.io/chat-agent\n"),
        rule("delete ingress", error=FORBIDDEN, status=1),
    )  # fmt: skip
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 0
    assert "ingress.networking.k8s.io/chat-agent of an earlier run is still there: " + FORBIDDEN.strip() in done.stderr


def test_a_named_host_needs_openshift_s_consent(deploying: Deploying):
    deploying.answering(ROUTES, PATTERN)
    deploying("x", "spring-boot", *QUICK)
    asked = next(text for words, text in deploying.calls if "create --validate=false" in words)
    assert 'subresource: custom-host, namespace: x-workshop, verb: create, group: "route.openshift.io", resource: routes' in asked
