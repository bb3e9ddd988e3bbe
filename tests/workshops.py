"""Small workshops in the neutral form, made for tests."""

import yaml

from shared_services.library.form import WorkshopFiles, validate_files


def make_files(slug: str = "tiny", *, steps: dict[str, str] | None = None, title: str = "A tiny workshop") -> dict[str, bytes]:
    """The files of a valid workshop; `steps` is id -> content."""
    contents = steps or {"first": "# First\n\nRun this:\n\n```bash exec\necho hello\n```\n", "second": "# Second\n\nDone.\n"}
    files = {"workshop.yaml": _yaml({"apiVersion": "workshop-assistant/v1", "slug": slug, "title": title, "steps": [*contents]})}
    for step, content in contents.items():
        files[f"steps/{step}/content.md"] = content.encode()
        files[f"steps/{step}/step.yaml"] = _yaml({"title": step.title()})
    return files


def make_workshop(slug: str = "tiny", *, steps: dict[str, str] | None = None, title: str = "A tiny workshop") -> WorkshopFiles:
    """A valid workshop, read."""
    return validate_files(make_files(slug, steps=steps, title=title))


def _yaml(data: dict[str, object]) -> bytes:
    return yaml.safe_dump(data, sort_keys=False).encode()
