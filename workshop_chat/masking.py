"""Secrets in what people paste: found by their form, and masked before anything is stored, searched or sent to a model.

The forms are those that the issuers document: prefixes of tokens, PEM frames, credentials in addresses, and values
assigned to names that say what they are. What stands for a secret (`$TOKEN`, `<password>`, `{{ token }}`) is left alone.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

MASK = "[masked {kind}]"

_PREFIXED = (
    ("AWS key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{50,255})\b"),
    ("GitLab token", r"\bgl(?:pat|dt|rt|cbt|ptt|ft)-[A-Za-z0-9_-]{20,64}"),
    ("Slack token", r"\bxox[abeprs]-[A-Za-z0-9-]{10,250}"),
    ("Google key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("Stripe key", r"\b[srp]k_(?:live|test)_[0-9A-Za-z]{16,250}\b"),
    ("API key", r"\bsk-[A-Za-z0-9_-]{20,250}"),
    ("npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("PyPI token", r"\bpypi-[A-Za-z0-9_-]{50,250}"),
    ("Hugging Face token", r"\bhf_[A-Za-z0-9]{30,60}\b"),
    ("Docker token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,60}"),
    ("OpenShift token", r"\bsha256~[A-Za-z0-9_-]{43}\b"),
    ("Vault token", r"\bhv[sbr]\.[A-Za-z0-9_-]{20,250}"),
    ("token", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
)
_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----.*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----|\Z)", re.DOTALL)
_FRAMED = re.compile(r"\bLS0tLS1CRUdJTi[A-Za-z0-9+/\s]{40,}={0,2}")
"""Base64 of what begins with `-----BEGIN `: a key as a kubeconfig holds it, or a certificate, which is none."""
# A long value of letters of both cases and digits, given to something that calls itself a key: `AccountKey=`, `signing_key:`.
_KEYED = re.compile(
    r"((?i:(?<![a-z])[a-z0-9_.-]{0,40}(?:key|credentials?|signature|(?<![a-z])sas|(?<![a-z])auth))[\"']?\s*[:=]\s*[\"']?)"
    r"(?=[A-Za-z0-9+/_-]*[a-z])(?=[A-Za-z0-9+/_-]*[A-Z])(?=[A-Za-z0-9+/_-]*[0-9])([A-Za-z0-9+/_-]{24,500}={0,2})"
)
_LONG_VALUE = re.compile(r"[:=]\s{0,9}[\"']?[A-Za-z0-9+/_-]{24}")
_HEADER = re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token)\s+)([^\s\"']{8,})")
_ADDRESS = re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,200}:)([^\s/@]{1,200})(?=@)")
_NAMED = re.compile(
    r"(?i)((?<![a-z])(?:[a-z0-9_.-]{0,40}(?:passwd|password|passphrase|passwort|kennwort|mot de passe|contraseña|secret"
    r"|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|client[_-]?secret|auth[_-]?token|access[_-]?token|refresh[_-]?token)|token|pwd)[\"']?(?:\s*[:=]\s*|(?<=--password)\s+"
    r"|(?<=--token)\s+)[\"']?)([^\s\"',;]{4,500})"
)
# What programs take as a password without calling it one.
_OPTION = re.compile(
    r"(\b(?:(?:curl|wget|httpie|https?)\b[^\n]{0,300}?\s(?:-u|--user|-a|--auth)[ =]?[\"']?[^\s:\"'/]{1,100}:"
    r"|(?:docker|podman|buildah|skopeo|oc|helm registry|az|cf|argocd|registry) login\b[^\n]{0,300}?\s-p[ =]?[\"']?"
    r"|sshpass\s+-p[ =]?[\"']?|redis-cli\b[^\n]{0,100}?\s-a[ =]?[\"']?"
    r"|(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n]{0,100}?\s-p[\"']?))([^\s\"'@]{4,200})"
)
# "The password is Tr0ub4dor": what follows must look like one, as "the password is required" does not.
_TOLD = re.compile(
    r"(\b(?i:password|passwort|kennwort|mot de passe|contraseña|passphrase|api key|token)(?i: is| ist| est| es"
    r"| lautet):? [\"'`]?)"
    r"(?=[^\s\"'`]*\d)(?=[^\s\"'`]*[A-Z!#$%&*+?@^_])([^\s\"'`]{6,200})"
)
# Nobody's secret: what examples and demonstrations are full of.
_DEMO = re.compile(
    r"(?:postgres|password|passw0rd|secret|s3cr3t|admin|root|test|demo|guest|user|minio|minioadmin|mysql|redis|rabbitmq"
    r"|changeit|foobar"
    r"|letmein|welcome|redhat|openshift|workshop|lab|keycloak|grafana|1234+|abc123|topsecret|supersecret"
    r"|mysecret)\d{0,3}[!.)]?",
    re.IGNORECASE,
)
_STANDS_FOR = re.compile(
    r"^(?:\$|<|\{|%|\*+$|x{4,}$|\.{3}|\[masked|your[-_]|my[-_]|change|example|secretkeyref|none$|null$|true$|false$"
    r"|not[-_]?(?:a|an|the|my|real|for)[-_]|(?:dummy|fake|sample|placeholder|redacted|insert|replace|enter|some)(?:[-_]|$))",
    re.I,
)
_FORMS = tuple((kind, re.compile(form)) for kind, form in _PREFIXED)


@dataclass(frozen=True)
class Masked:
    """A text without its secrets.

    Attributes:
        found: What kinds were masked, each once, in the order of `_PREFIXED` and then of the wider forms.
    """

    text: str
    found: tuple[str, ...]


def mask_secrets(text: str, known: Sequence[str] = ()) -> Masked:
    """The text with each secret replaced by a mark that names its kind.

    Args:
        text: What somebody wrote.
        known: Texts whose own secrets are left as they are.
    """
    found: dict[str, None] = {}

    def mask(secret: str, kind: str) -> str:
        if any(secret in each for each in known):
            return secret
        found[kind] = None
        return MASK.format(kind=kind)

    def second(kind: str, match: re.Match[str]) -> str:
        if _STANDS_FOR.match(match[2]) or _DEMO.fullmatch(match[2]):
            return match[0]
        return match[1] + mask(match[2], kind)

    text = _KEY.sub(lambda match: mask(match[0], "private key"), text)
    if "LS0tLS1CRUdJTi" in text:
        text = _FRAMED.sub(lambda match: mask(match[0], "private key") if _is_private(match[0]) else match[0], text)
    for kind, form in _FORMS:
        if form.search(text):
            text = form.sub(lambda match, kind=kind: mask(match[0], kind), text)  # type: ignore[misc]
    text = _HEADER.sub(lambda match: second("credentials", match), text)
    text = _ADDRESS.sub(lambda match: second("password", match), text)
    text = _OPTION.sub(lambda match: second("password", match), text)
    text = _NAMED.sub(lambda match: second("secret", match), text)
    if _LONG_VALUE.search(text):
        text = _KEYED.sub(lambda match: second("key", match), text)
    text = _TOLD.sub(lambda match: second("password", match), text)
    return Masked(text, tuple(found))


def _is_private(framed: str) -> bool:
    """Whether base64 of a PEM frame is one of a private key; its first line says it."""
    begun = "".join(framed.split())[:64]
    try:
        return b"PRIVATE KEY" in base64.b64decode(begun[: len(begun) // 4 * 4])
    except binascii.Error:
        return False
