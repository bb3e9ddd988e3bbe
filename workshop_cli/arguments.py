"""Arguments that several commands share. Imports nothing heavy: every start of the command reads this module."""

import argparse
from pathlib import Path
from typing import Any


def add_data(parser: argparse.ArgumentParser, **options: Any) -> None:
    """The data folder; `options` as for `add_argument`."""
    text = "the data folder (default: $WORKSHOP_DATA, else ./data)"
    parser.add_argument("--data", type=_folder, metavar="DIR", help=text, **options)


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("it is empty; name a folder")
    return Path(text)
