"""Choices of how to read a repository: what they are kept under, when they apply, and what is said of them. No storage here."""

import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared_services.contracts.choices import Choice
from shared_services.contracts.conversion import ConversionReport, ConvertRequest

_SCHEME = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*)://")
_SCP_LIKE = re.compile(r"^(?:[\w.+-]+@)?(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<path>[^:].*)$")
_USUAL_PORTS = {"http": 80, "https": 443, "ssh": 22, "git+ssh": 22, "git": 9418}


def address_key(source: str) -> str:
    """The one name of a repository, however its address is written: no scheme, no user or password, no `.git`, no query."""
    text = source.strip()
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() != "file":
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            return text
        usual = port is None or port == _USUAL_PORTS.get(scheme[1].lower())
        return _named(f"{(parts.hostname or '').lower()}{'' if usual else f':{port}'}", unquote(parts.path))
    scp = _SCP_LIKE.match(text)
    if not scheme and scp and "/" not in text.partition(":")[0]:
        return _named(scp["host"].lower(), scp["path"])
    path = unquote(urlsplit(text).path) if scheme else text
    try:
        return str(Path(path).expanduser().resolve())
    except (OSError, RuntimeError, ValueError):
        return path


def _named(host: str, path: str) -> str:
    return f"{host}/{path.strip('/').removesuffix('.git').rstrip('/')}"


def choice_in(request: ConvertRequest, by: str = "") -> Choice | None:
    """What a person chooses with a request; None where they leave it to be recognised, or want every workshop."""
    if request.every or (request.as_form is None and not request.path.strip("/")):
        return None
    return Choice(form=request.as_form, path=request.path.strip("/"), by=by, at=datetime.now(UTC))


def takes_choice(request: ConvertRequest) -> bool:
    """Whether what is remembered applies to a request: not where it says itself how to read."""
    return not request.every and request.as_form is None and not request.path.strip("/")


def with_choice(request: ConvertRequest, choice: Choice) -> ConvertRequest:
    """The request as the choice would have it."""
    return request.model_copy(update={"as_form": choice.form, "path": choice.path})


def told(report: ConversionReport, choice: Choice) -> ConversionReport:
    """The report of a conversion that took a choice, which it says first."""
    return report.model_copy(update={"evidence": [f"{sentence(choice)}", *report.evidence], "remembered": True})


def passed_over(report: ConversionReport, choice: Choice) -> ConversionReport:
    """The report of a conversion that could not take a choice."""
    said = f"{sentence(choice)} The source can no longer be read like that, so it was recognised anew."
    return report.model_copy(update={"evidence": [said, *report.evidence]})


def sentence(choice: Choice) -> str:
    """A choice in words."""
    what = [f"as {choice.form}"] if choice.form else []
    what += [f"in `{choice.path}`"] if choice.path else []
    who = f" by {choice.by}" if choice.by else ""
    return f"Remembered: to be read {' '.join(what)}, chosen{who} on {choice.at:%Y-%m-%d}."
