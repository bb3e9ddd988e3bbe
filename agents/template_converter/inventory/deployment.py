"""How a program is packed and run: Containerfiles, compose files, Kubernetes manifests."""

import posixpath
import re
from typing import Any

import yaml

from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from shared_services.contracts.inventory import ComposeService, ContainerFile, KubernetesObject

_CONTAINER = re.compile(r"^(?:Dockerfile|Containerfile)(?:\.[\w-]+)?$|^[\w-]+\.(?:[Dd]ockerfile|[Cc]ontainerfile)$")
_COMPOSE = re.compile(r"^(?:docker-)?compose(?:[.-][\w-]+)?\.ya?ml$")
_INSTRUCTION = re.compile(r"^[ \t]*(?P<name>FROM|EXPOSE|CMD|ENTRYPOINT)[ \t]+(?P<rest>.+)$", re.IGNORECASE | re.MULTILINE)
_KIND = re.compile(r"^kind:\s*[\"']?[A-Z]\w+", re.MULTILINE)
_API = re.compile(r"^apiVersion:\s*\S+", re.MULTILINE)
_MAX_CHARACTERS = 500_000


def is_container_file(path: str) -> bool:
    """Whether a file is built into an image."""
    return bool(_CONTAINER.match(posixpath.basename(path)))


def is_compose_file(path: str) -> bool:
    """Whether a file tells of services that run together."""
    return bool(_COMPOSE.match(posixpath.basename(path)))


def container_file(path: str, text: str) -> ContainerFile:
    """What a Containerfile says."""
    joined = re.sub(r"\\\r?\n", " ", text)
    bases: list[str] = []
    stages: set[str] = set()
    ports: list[int] = []
    entry = command = ""
    for match in _INSTRUCTION.finditer(joined):
        name, rest = match["name"].upper(), match["rest"].strip()
        if name == "FROM":
            words = [word for word in rest.split() if not word.startswith("--")]
            if words and words[0] not in stages:
                bases.append(words[0])
            if len(words) > 2 and words[1].upper() == "AS":
                stages.add(words[2])
            entry = command = ""
        elif name == "EXPOSE":
            ports += [int(port) for port in re.findall(r"\b(\d{1,5})(?:/tcp|/udp)?\b", rest) if int(port) < 65536]
        elif name == "ENTRYPOINT":
            entry = _command(rest)
        else:
            command = _command(rest)
    told = " ".join(part for part in (entry, command) if part)
    return ContainerFile(path=path, base_images=list(dict.fromkeys(bases)), ports=list(dict.fromkeys(ports)), command=told)


def _command(rest: str) -> str:
    """A command in the form of a list, or of the shell, as words."""
    if not rest.startswith("["):
        return rest
    return " ".join(part for pair in re.findall(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'', rest) for part in pair if part)


def compose_services(path: str, text: str) -> list[ComposeService]:
    """The services of a compose file.

    Raises:
        UnsafeYamlError: Not YAML that is read here.
    """
    values = load_plain(text)
    services = values.get("services") if isinstance(values, dict) else None
    found = []
    for name, given in services.items() if isinstance(services, dict) else []:
        options = given if isinstance(given, dict) else {}
        ports = options.get("ports")
        rows = [_port(port) for port in ports] if isinstance(ports, list) else []
        context, dockerfile = _built(path, options.get("build"))
        found.append(
            ComposeService(
                path=path,
                name=str(name),
                image=str(options.get("image") or ""),
                ports=rows,
                context=context,
                dockerfile=dockerfile,
            )
        )
    return found


def _built(path: str, given: Any) -> tuple[str, str]:
    """The folder that a service is built in and its Containerfile, from the repository's top; empty where it is not built."""
    options = given if isinstance(given, dict) else {"context": given}
    context, name = options.get("context"), options.get("dockerfile", "Dockerfile")
    if not isinstance(context, str) or not isinstance(name, str) or "$" in context + name or "://" in context:
        return "", ""
    folder = posixpath.normpath(posixpath.join(posixpath.dirname(path), context))
    return folder, posixpath.normpath(posixpath.join(folder, name))


def _port(port: Any) -> str:
    if isinstance(port, dict):
        return ":".join(str(port[key]) for key in ("published", "target") if port.get(key))
    return str(port)


def kubernetes_objects(path: str, text: str) -> list[KubernetesObject]:
    """The objects of a manifest; none of a file that is none, or that holds a template's braces."""
    if len(text) > _MAX_CHARACTERS or not (_KIND.search(text) and _API.search(text)):
        return []
    found = []
    for part in re.split(r"^---\s*$", text, flags=re.MULTILINE):
        try:
            values = load_plain(part)
        except (UnsafeYamlError, yaml.YAMLError):
            continue
        if not isinstance(values, dict) or not isinstance(values.get("kind"), str) or "apiVersion" not in values:
            continue
        metadata = values.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else ""
        found.append(KubernetesObject(path=path, kind=values["kind"], name=str(name or "")))
    return found
