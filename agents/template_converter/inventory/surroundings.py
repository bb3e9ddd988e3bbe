"""What a program needs around it before it starts: its file of settings, and services such as databases that compose runs."""

import posixpath
import re

from agents.template_converter.inventory.program import Program, compose_of
from agents.template_converter.model import Tree
from shared_services.contracts.inventory import ComposeService, Inventory

_EXAMPLE = re.compile(
    r"^(?:\.env[.-](?:example|sample|dist|template)|(?:example|sample|template)\.env|env[.-](?:example|sample|template))$"
)
_SUPPORT = re.compile(
    r"(?:^|/)(?:postgres|postgis|pgvector|mysql|mariadb|mongo|mongo-express|redis|valkey|rabbitmq|kafka|zookeeper|memcached|elasticsearch"
    r"|opensearch|minio|adminer|pgadmin4?|phpmyadmin|maildev|mailhog|mailpit|nats|cassandra|couchdb|influxdb|neo4j|localstack|keycloak)"
    r"(?:[:@]|$)"
)
_NEAR = frozenset({"docker", ".docker", "compose", "deploy", "deployment", "infra", "local", "dev", "development"})


def settings_commands(tree: Tree, program: Program) -> list[str]:
    """What makes the file of settings from the repository's example, where there is one example and no such file."""
    for folder in dict.fromkeys((program.folder, program.root)):
        names = [
            path[len(folder) :].strip("/")
            for path in tree.files
            if posixpath.dirname(path) == folder and _EXAMPLE.match(posixpath.basename(path))
        ]
        if len(names) == 1 and posixpath.join(folder, ".env") not in tree:
            return [f"cp {posixpath.join(folder, names[0])} {posixpath.join(folder, '.env')}"]
    return []


def supporting(program: Program, inventory: Inventory) -> list[ComposeService]:
    """The services that a program may need and that a compose file near it opens to programs outside it."""
    rows = compose_of(program, inventory)
    folder = posixpath.dirname(rows[0].path) if rows else ""
    near = folder in (program.folder, program.root, "") or posixpath.basename(folder) in _NEAR
    return [row for row in rows if near and row.ports and is_supporting(row)]


def is_supporting(service: ComposeService) -> bool:
    """Whether a service is a database or its like, and no program of the repository."""
    return not service.context and bool(_SUPPORT.search(service.image))
