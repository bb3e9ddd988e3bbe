"""The template converter as a process of its own: `python -m agents.template_converter`, with its settings in the environment."""

import sys

import uvicorn
from pydantic import ValidationError

from agents.template_converter.app import create_app
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterServerSettings, ConverterSettings
from shared_services.kit.errors import PlatformError
from shared_services.kit.logging import configure_logging
from shared_services.kit.tokens import TokenVerifier


class StartError(PlatformError):
    """The process cannot start as it is configured."""

    slug = "start"
    title = "The template converter cannot start"


def load_verifier(settings: ConverterServerSettings) -> TokenVerifier:
    """What tokens are checked with.

    Raises:
        StartError: No key is named, or it cannot be read.
    """
    if settings.core_public_key_file is None:
        raise StartError("CORE_PUBLIC_KEY_FILE is not set. Name the PEM file with the core's public key.")
    try:
        return TokenVerifier.from_pem(settings.core_public_key_file.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise StartError(f"The public key cannot be read: {error}") from error


def main() -> int:
    """Run until stopped; the exit status."""
    try:
        settings, converter = ConverterServerSettings(), ConverterSettings()
        configure_logging(settings.log_level, as_json=settings.log_json)
        app = create_app(ConverterService(converter), load_verifier(settings))
    except ValidationError as error:
        rows = "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in error.errors())
        sys.stderr.write(f"The settings cannot be used: {rows}\n")
        return 1
    except PlatformError as error:
        sys.stderr.write(f"{error.title}: {error.detail}\n")
        return 1
    uvicorn.run(app, host=settings.host, port=settings.port, log_config=None, access_log=False, server_header=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
