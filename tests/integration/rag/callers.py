"""Who calls the RAG agent in tests, and the files that it is given."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared_services.contracts.identity import Role
from shared_services.kit.errors import NotFoundError
from shared_services.kit.tokens import TokenIssuer
from shared_services.library.form import WorkshopFiles

ISSUER = TokenIssuer(Ed25519PrivateKey.generate())


@dataclass
class Files:
    versions: dict[tuple[str, str], WorkshopFiles] = field(default_factory=dict)

    async def fetch(self, name: str, version: str) -> WorkshopFiles:
        if (name, version) not in self.versions:
            raise NotFoundError(f"There is no version {version} of {name}.")
        return self.versions[name, version]


def token(
    subject: str = "service:chat",
    *,
    workshop: str | None = None,
    roles: frozenset[Role] = frozenset(),
    audience: str = "rag",
) -> str:
    return ISSUER.issue(subject, audience, seconds=86_400, workshop=workshop, roles=roles)
