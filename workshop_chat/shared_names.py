"""Names of what belongs to no schema of a database: channels of notifications and advisory locks.

Every workshop's role on one PostgreSQL can listen on any channel and take any lock that it can name, so those of a chat agent
are derived from a secret that only its own processes hold.
"""

import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True)
class SharedNames:
    """The names of one workshop's chat agent.

    Attributes:
        workshop: Its slug.
        secret: What all of its processes hold, and nobody else: the participants' key.
    """

    workshop: str
    secret: bytes = b""

    def channel(self) -> str:
        """The channel of its signals: a name that needs no quoting and fits PostgreSQL's 63 bytes, whatever the slug."""
        return f"workshop_chat_{self._derived('channel').hex()[:32]}"

    def lock(self, *what: str) -> int:
        """The key of an advisory lock, 64 bits with a sign."""
        return int.from_bytes(self._derived("lock", *what)[:8], signed=True)

    def _derived(self, *what: str) -> bytes:
        # Distinct lists of words never give the same text: a slug or an id has no NUL.
        return hmac.digest(self.secret, "\0".join((*what, self.workshop)).encode(errors="surrogatepass"), hashlib.sha256)
