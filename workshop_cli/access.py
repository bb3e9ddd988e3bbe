"""Who may take part in the workshops of this process, and the codes that admit them."""

import hashlib
import hmac
import ipaddress
from typing import Literal

from workshop_cli.settings import CliSettings

JOIN_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
JOIN_CODE_LENGTH = 8


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def access_for(settings: CliSettings) -> Literal["open", "code"]:
    """Who may take part: what is set, else everybody on a loopback address and those with the code elsewhere."""
    return settings.access or ("open" if is_loopback(settings.host) else "code")


def join_code(secret: bytes, workshop: str) -> str:
    """A workshop's join code: eight characters that follow from the secret, so that they need no storage."""
    digest = hmac.digest(secret, f"join:{workshop}".encode(), hashlib.sha256)
    return "".join(JOIN_CODE_ALPHABET[byte % len(JOIN_CODE_ALPHABET)] for byte in digest[:JOIN_CODE_LENGTH])
