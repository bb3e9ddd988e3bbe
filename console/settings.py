"""Settings of the console."""

from typing import Final

from pydantic import Field, SecretStr

from shared_services.kit.settings import PlatformSettings

WORKSHOP: Final = "{workshop}"
"""Stands in a pattern of addresses where a workshop's name goes."""


class ConsoleSettings(PlatformSettings):
    """How people sign in, besides the author's link."""

    oidc_issuer: str | None = Field(
        default=None,
        validation_alias="OIDC_ISSUER",
        description="Address of an OpenID Connect issuer; signing in through it is offered when this is set.",
    )
    oidc_client_id: str = Field(
        default="workshop-assistant", validation_alias="OIDC_CLIENT_ID", description="Client id that the issuer knows us by."
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None,
        validation_alias="OIDC_CLIENT_SECRET",
        description="Client secret; without one the client is public and relies on PKCE alone.",
    )
    oidc_roles_claim: str = Field(
        default="roles",
        validation_alias="OIDC_ROLES_CLAIM",
        description="Claim of the id token that lists roles; names that are not roles here are passed over.",
    )
    oidc_default_role: str = Field(
        default="participant",
        validation_alias="OIDC_DEFAULT_ROLE",
        description="Role of a person whose id token names none.",
    )
    secure_cookies: bool = Field(
        default=False,
        validation_alias="SECURE_COOKIES",
        description="Send cookies over https alone; set it wherever the page is served by https.",
    )
