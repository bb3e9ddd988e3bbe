"""The settings that the code has, and which of them each entry point of the image reads."""

import importlib
import pkgutil
from functools import cache
from typing import Any, Final, cast

from pydantic import ValidationError

from shared_services.kit.settings import PlatformSettings
from tests.contract.manifests.rendering import ROOT

PACKAGES: Final = ("shared_services", "agents", "workshop_chat", "console", "workshop_cli")

READ_BY: Final[dict[tuple[str, ...], set[str]]] = {
    ("chat",): {"ChatSettings", "LlmSettings"},
    ("console",): {"ConsoleSettings", "ConsoleProcessSettings", "JobsSettings"},
    ("rag",): {"RagSettings", "JobsSettings"},
    ("template-converter",): {"ConverterSettings", "ConverterServerSettings", "JobsSettings"},
    ("migrate", "core"): {"CoreMigrationSettings"},
    # It registers what the chat agent may read, and so reads that as the chat agent does.
    ("migrate", "workshop"): {"WorkshopMigrationSettings", "ChatSettings", "LlmSettings"},
    ("migrate", "remove"): {"RemovalSettings"},
}
"""Arguments of the image to the settings classes that the process makes."""


@cache
def settings_classes() -> tuple[type[PlatformSettings], ...]:
    """Every settings class of the code."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if module.name.rpartition(".")[2] == "settings":
                importlib.import_module(module.name)
    found, waiting = [], PlatformSettings.__subclasses__()
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += one.__subclasses__()
    return tuple(one for one in found if one.__module__.split(".")[0] in PACKAGES)


def read_by(arguments: tuple[str, ...]) -> list[type[PlatformSettings]]:
    """The settings classes of an entry point.

    Raises:
        KeyError: No such entry point, or it is not in READ_BY yet.
    """
    classes = {one.__name__: one for one in settings_classes()}
    return [classes[name] for name in sorted(READ_BY[arguments])]


def refused(one: type[PlatformSettings], values: dict[str, str]) -> list[str]:
    """What a settings class says against values, by the names of variables; what is missing is not asked."""
    own = {name: value for name, value in values.items() if name in one.variables() and value}
    try:
        one(**cast("dict[str, Any]", own))
    except ValidationError as error:
        return [
            f"{row['loc'][0]}={own[str(row['loc'][0])]}: {row['msg']}"
            for row in error.errors()
            if row["loc"] and str(row["loc"][0]) in own and row["type"] != "missing"
        ]
    return []
