"""`workshop sign-in`: a new sign-in link for the author."""

import argparse

from shared_services.kit.identity import sign_in_link
from shared_services.kit.tokens import TokenIssuer, load_or_create_key
from workshop_cli.connection import data_root
from workshop_cli.datafolder import DataFolder, DataFolderError, holder_of
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import out


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """It takes none."""


async def run(_args: argparse.Namespace, settings: CliSettings) -> int:
    """Print a link to the running server that signs an author in."""
    root = data_root(settings)
    holder = holder_of(root)
    if holder is None or holder.url is None:
        raise DataFolderError(f"No server is running on the data folder {root}. Start one with `workshop up`.")
    issuer = TokenIssuer(load_or_create_key(DataFolder(root).core_key))
    out.print(sign_in_link(issuer, settings.public_url or holder.url))
    return 0
