"""Addresses of PostgreSQL read into their parts. No message repeats an address: there are passwords in them."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from shared_services.kit.errors import BadInputError

MAX_IDENTIFIER_BYTES = 63
"""PostgreSQL cuts longer names off, which would make two roles one."""


@dataclass(frozen=True)
class Account:
    """Who comes in where: what a service's address says.

    Attributes:
        role: Also the name of its schema, where it has one.
        url: The whole address, as the service gives it to its engine.
    """

    role: str
    password: str = field(repr=False)
    database: str
    url: str = field(repr=False)


def account(variable: str, url: SecretStr) -> Account:
    """The account that an address names.

    Args:
        variable: The environment variable, for people.
        url: `postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE`.

    Raises:
        BadInputError: Not such an address, or a part of it is missing.
    """
    parsed = _parsed(variable, url)
    for what, value in (("role", parsed.username), ("password", parsed.password), ("database", parsed.database)):
        if not value:
            raise BadInputError(f"{variable} names no {what}. It looks like postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE.")
        if what != "password" and len(str(value).encode()) > MAX_IDENTIFIER_BYTES:
            raise BadInputError(
                f"{variable} names a {what} of more than {MAX_IDENTIFIER_BYTES} bytes, which PostgreSQL cuts off."
            )
    return Account(str(parsed.username), str(parsed.password), str(parsed.database), url.get_secret_value())


def connection_options(variable: str, url: SecretStr, database: str | None = None) -> dict[str, Any]:
    """An address as libpq's parameters, for `database` in place of the one that it names.

    Raises:
        BadInputError: Not such an address.
    """
    parsed = _parsed(variable, url)
    named = parsed.translate_connect_args(username="user", database="dbname")
    return {**parsed.query, **named, **({"dbname": database} if database else {})}


def server_of(variable: str, url: SecretStr) -> str:
    """Host and port of an address, to show.

    Raises:
        BadInputError: Not such an address.
    """
    parsed = _parsed(variable, url)
    return f"{parsed.host or 'localhost'}:{parsed.port or 5432}"


def _parsed(variable: str, url: SecretStr) -> URL:
    try:
        parsed = make_url(url.get_secret_value())
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.get_backend_name() != "postgresql":
        raise BadInputError(
            f"{variable} is not an address of PostgreSQL. It looks like postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE, where "
            "each of @ : / ? # % in the password is percent-encoded."
        ) from None
    return parsed
