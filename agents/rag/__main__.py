"""The RAG agent as a process of its own: `python -m agents.rag`."""

import asyncio
import sys

import httpx
import uvicorn
from structlog import get_logger

from agents.rag.app import create_app
from agents.rag.files import LibraryFiles
from agents.rag.settings import RagSettings
from shared_services.clients.library import LibraryClient
from shared_services.kit.database import create_engine
from shared_services.kit.logging import configure_logging
from shared_services.kit.tokens import TokenVerifier

log = get_logger()


async def _serve(settings: RagSettings) -> None:
    def token(audience: str) -> str:
        """The mounted token; it is for the library alone, which checks its own audience. Whoever mounts it renews it."""
        return settings.token_file.read_text().strip()

    verifier = TokenVerifier.from_pem(settings.public_key.read_bytes())
    settings.data.mkdir(parents=True, exist_ok=True)
    engine = create_engine(settings.database_url)
    async with httpx.AsyncClient(base_url=settings.library_url, timeout=60) as http:
        app = create_app(settings, engine, verifier, LibraryFiles(LibraryClient(http, token)))
        await uvicorn.Server(uvicorn.Config(app, host=settings.host, port=settings.port, log_config=None)).serve()
    await engine.dispose()


def main() -> int:
    """Run until interrupted; 1 when it cannot start."""
    configure_logging()
    settings = RagSettings()
    try:
        asyncio.run(_serve(settings))
    except (OSError, ValueError) as error:
        log.exception("rag_cannot_start", error=str(error), hint="RAG_PUBLIC_KEY names a PEM file of an Ed25519 public key")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
