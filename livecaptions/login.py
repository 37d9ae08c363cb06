"""The login according to the settings."""

from auth.oidc import OidcSettings, OpenIdConnect
from captions.errors import SetupError
from captions.ports.clock import Clock
from captions.ports.login import LoginProvider
from livecaptions.settings.fields import Settings

_THIS_MACHINE = {"localhost", "127.0.0.1", "[::1]"}


def build_login(settings: Settings, clock: Clock) -> LoginProvider | None:
    """The identity provider of the settings; None without one. Raises ``SetupError``."""
    client = oidc_settings(settings)
    return None if client is None else OpenIdConnect(client, clock)


def oidc_settings(settings: Settings) -> OidcSettings | None:
    """The client of the identity provider; None if the settings name no provider. Raises ``SetupError``."""
    issuer, secret = settings.oidc_issuer, oidc_secret(settings)
    if issuer is None:
        return None
    if settings.oidc_client_id is None or secret is None:
        raise SetupError(
            "oidc_issuer needs oidc_client_id and oidc_client_secret; the provider shows them (docs/login.md)"
        )
    if issuer.scheme != "https" and issuer.host not in _THIS_MACHINE:
        raise SetupError(f"oidc_issuer is {issuer}: whoever is on the way could log in as anybody; use https")
    return OidcSettings(
        issuer=str(issuer).rstrip("/"),
        client_id=settings.oidc_client_id,
        client_secret=secret,
        operators=settings.oidc_operators,
    )


def oidc_secret(settings: Settings) -> str | None:
    """The client's secret, which all gateways share."""
    return None if settings.oidc_client_secret is None else settings.oidc_client_secret.get_secret_value()
