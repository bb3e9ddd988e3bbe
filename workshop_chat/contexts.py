"""The context of a workshop: what its assistant may read beside it, how safe it plays, how many it serves and for how long.

What it may read is in the token that the chat agent was given; the context narrows that, and never widens it.

Four places may speak of it. The environment counts before the template that an instance was launched from, that before the
contexts file, and that before the workshop's own manifest; each part by itself.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared_services.contracts.base import Slug
from shared_services.contracts.workshop import WorkshopManifest
from shared_services.kit.errors import PlatformError

SafetyLevel = Literal["healthcare_compliant", "educational_standard", "security_focused"]

ParticipantLimit = Annotated[int, Field(ge=1, le=100_000)]
SessionTimeout = Annotated[int, Field(ge=60, le=7 * 24 * 3600)]

SHIPPED = Path(__file__).parent / "contexts.yaml"


class ContextError(PlatformError):
    """The workshop's context cannot be made out."""

    slug = "context"
    title = "The workshop's context cannot be used"


class ContextLayer(BaseModel):
    """What one place says of a context; None where it says nothing.

    Attributes:
        rag_context_filter: Tags of shared documents that the assistant may read.
        content_focus: The focus that narrows them.
        participant_limit: Live sessions at once.
        session_timeout: Seconds after which an idle session ends.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rag_context_filter: list[Slug] | None = None
    content_focus: Slug | None = None
    safety_level: SafetyLevel | None = None
    participant_limit: ParticipantLimit | None = None
    session_timeout: SessionTimeout | None = None


NOTHING = ContextLayer()


class WorkshopContext(BaseModel):
    """A context, complete.

    Attributes:
        name: None where no named one was asked for.
        rag_context_filter: None where nobody named tags; then the token's own count.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Slug | None = None
    rag_context_filter: tuple[Slug, ...] | None = None
    content_focus: Slug | None = None
    safety_level: SafetyLevel = "educational_standard"
    participant_limit: int = 100
    session_timeout: int = 3600


_CONTEXTS: TypeAdapter[dict[Slug, ContextLayer]] = TypeAdapter(dict[Slug, ContextLayer])
_LAYER = TypeAdapter(ContextLayer)


def read_contexts(path: Path = SHIPPED) -> dict[str, ContextLayer]:
    """The contexts of a file, by name.

    Raises:
        ContextError: The file is not there, is no YAML, or says what no context has.
    """
    return _read(path, _CONTEXTS, "contexts file", "WORKSHOP_CONTEXTS_FILE")


def read_template(path: Path) -> ContextLayer:
    """What the template of the instance says: a file with the members of one context.

    Raises:
        ContextError: The file is not there, is no YAML, or says what no context has.
    """
    return _read(path, _LAYER, "template file", "WORKSHOP_TEMPLATE_FILE")


def _read[T](path: Path, form: TypeAdapter[T], what: str, variable: str) -> T:
    try:
        return form.validate_python(yaml.safe_load(path.read_text("utf-8")) or {})
    except OSError as error:
        raise ContextError(f"The {what} {path} cannot be read: {error.strerror}. Set {variable} right.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContextError(f"The {what} {path} is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ContextError(f"The {what} {path} is not right at {where}: {first['msg']}.") from error


def of_manifest(manifest: WorkshopManifest) -> ContextLayer:
    """What the workshop itself says."""
    return ContextLayer(rag_context_filter=manifest.context.tags or None, content_focus=manifest.context.content_focus)


def resolve_context(
    name: str | None,
    contexts: Mapping[str, ContextLayer],
    *,
    environment: ContextLayer,
    template: ContextLayer,
    manifest: ContextLayer,
) -> WorkshopContext:
    """The context that counts.

    Args:
        name: One of `contexts`; None where none was asked for.
        contexts: From the contexts file.
        environment: From the environment variables.
        template: From the template of the instance.
        manifest: From `workshop.yaml`.

    Raises:
        ContextError: There is no context of that name.
    """
    if name is not None and name not in contexts:
        known = ", ".join(sorted(contexts)) or "none"
        raise ContextError(f"There is no context '{name[:80]}'. Known ones: {known}. Set WORKSHOP_CONTEXT to one of them.")
    named = contexts[name] if name is not None else ContextLayer()
    said = _merged([environment, template, named, manifest])
    return WorkshopContext(name=name, **said)


def _merged(layers: Sequence[ContextLayer]) -> dict[str, object]:
    """What the layers say, the first that speaks of a part winning it."""
    said: dict[str, object] = {}
    for layer in reversed(layers):
        said |= layer.model_dump(exclude_none=True)
    return said


class Contexts:
    """The context of one workshop, from every place that speaks of it.

    Args:
        name: The named context that the environment asks for; None for the one that the manifest names, if any.
        known: From the contexts file.
        environment: What the environment says of single parts.
        template: What the template of the instance says.

    Raises:
        ContextError: There is no context of that name.
    """

    def __init__(
        self,
        name: str | None,
        known: Mapping[str, ContextLayer],
        *,
        environment: ContextLayer = NOTHING,
        template: ContextLayer = NOTHING,
    ) -> None:
        self._name = name
        self._known = known
        self._environment = environment
        self._template = template
        self.configured()

    def configured(self) -> WorkshopContext:
        """The context as far as it is known without a manifest: what who deploys the chat agent says."""
        return resolve_context(self._name, self._known, environment=self._environment, template=self._template, manifest=NOTHING)

    def of(self, manifest: WorkshopManifest) -> WorkshopContext:
        """The context, given the manifest of the version that is shown.

        Raises:
            ContextError: The manifest names a context that there is not.
        """
        return resolve_context(
            self._name or manifest.context.name,
            self._known,
            environment=self._environment,
            template=self._template,
            manifest=of_manifest(manifest),
        )
