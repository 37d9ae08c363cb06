"""Settings of who may use the server, and from where: docs/access.md, docs/login.md."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field, SecretStr

from captions.access import Right
from streamer.settings import GatewaySettings

_GATEWAY = GatewaySettings()

SiteOrigin = Annotated[str, Field(pattern=r"^(\*|https?://[^/?#@\s]+)$"), AfterValidator(str.lower)]


def _without_slash(tenant: str) -> str:
    """Keys and JSON Web Tokens are stricter. With a slash, rooms of two tenants could be one: ``captions.track``."""
    if "/" in tenant:
        raise ValueError("has to be a name without a slash")
    return tenant


Tenant = Annotated[str, Field(min_length=1), AfterValidator(_without_slash)]


class Browsers(BaseModel):
    """What browsers may do."""

    public_url: AnyHttpUrl | None = Field(
        None, description="The server's address in browsers, with a proxy's path; none: the one requests are sent to."
    )
    allowed_origins: tuple[SiteOrigin, ...] = Field(
        _GATEWAY.allowed_origins,
        description="Sites whose pages may use this server without a token, as https://talks.example; *: every site.",
    )


class Accounts(BaseModel):
    """Login with OpenID Connect, for people who open the pages."""

    oidc_issuer: AnyHttpUrl | None = Field(
        None, description="Address of the identity provider; https, except on this machine. docs/login.md."
    )
    oidc_client_id: str | None = Field(None, min_length=1, description="What the provider calls this server.")
    oidc_client_secret: SecretStr | None = Field(
        None, min_length=1, description="Of the client; better in the environment than a flag."
    )
    oidc_operators: tuple[str, ...] = Field(
        (), description="Verified emails or subjects of the users who operate the server, or patterns with *."
    )


class Token(BaseModel):
    """A token and what it is good for; rooms are names, or patterns with ``*``. ``tenant`` is whose it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr
    rooms: tuple[str, ...] = ("*",)
    rights: frozenset[Right] = frozenset({Right.PUBLISH, Right.VIEW})
    tenant: Tenant | None = None


class Access(BaseModel):
    """Who may do what. Without keys, a JWT issuer or ``open`` the server listens on this machine alone."""

    keys_file: Path | None = Field(
        None, description="File of API keys, made by livecaptions keys create; read again when it changes."
    )
    jwt_secret: SecretStr | None = Field(
        None,
        min_length=1,
        description="Secret that verifies HS256 tokens, of 32 bytes or more; better in the environment than a flag.",
    )
    jwt_jwks: str | None = Field(
        None, description="Address or file of the key set that verifies RS256, ES256 and EdDSA tokens."
    )
    jwt_issuer: str | None = Field(None, description="The iss that tokens must have; none: any.")
    jwt_audience: str | None = Field(None, description="The aud that tokens must have; none: tokens without aud.")
    open: bool = Field(
        False, description="Let everybody who reaches the port do everything, on other networks too; without keys only."
    )
    tokens: tuple[Token, ...] = Field(
        (), description="Deprecated, use keys_file: tables of token, rooms, rights and tenant."
    )
