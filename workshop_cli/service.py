"""`workshop-service NAME`: the entry point of the image. Each name imports what it needs and nothing of the others.

What comes after the name belongs to it: the services take nothing and read the environment; `migrate` and `operate` have
arguments of their own.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

SERVICES: Final = {
    "chat": "workshop_chat.__main__",
    "console": "workshop_cli.console_process",
    "rag": "agents.rag.__main__",
    "template-converter": "agents.template_converter.__main__",
}
"""Modules with `main() -> int`, which serves until it is told to end."""

TOOLS: Final = {
    "migrate": "workshop_cli.cluster.migrate",
    "operate": "workshop_cli.cluster.operate",
}
"""Modules with `main(arguments) -> int`."""

USAGE: Final = f"usage: workshop-service {{{','.join(sorted([*SERVICES, *TOOLS]))}}} ...\n"
USAGE_STATUS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the first argument names; its exit status, or 2 where it names nothing."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given[0] if given else ""
    if name in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0
    if name in TOOLS:
        status: int = import_module(TOOLS[name]).main(given[1:])
        return status
    if name not in SERVICES:
        sys.stderr.write(f"{USAGE}There is no service {name!r}.\n" if name else USAGE)
        return USAGE_STATUS
    if len(given) > 1:
        sys.stderr.write(f"{USAGE}{name} takes no arguments: its settings are in the environment (docs/configuration.md).\n")
        return USAGE_STATUS
    served: int = import_module(SERVICES[name]).main()
    return served


if __name__ == "__main__":
    sys.exit(main())
