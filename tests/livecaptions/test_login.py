"""The settings of browsers and logins, and what they make of a server."""

from typing import Any

import pytest
from pydantic import ValidationError

from auth.authenticator import TokenAuthenticator
from auth.oidc import OpenIdConnect
from captions.access import Principal
from captions.errors import SetupError
from livecaptions.access import build_access, check_access, is_local_only
from livecaptions.clock import SystemClock
from livecaptions.login import build_login
from livecaptions.settings.fields import Settings

OIDC = {
    "oidc_issuer": "https://id.example/realm",
    "oidc_client_id": "captions",
    "oidc_client_secret": "a secret of the client that is long",
}


def settings(**given: Any) -> Settings:  # noqa: ANN401 - any setting
    return Settings.model_validate(given)


async def test_with_a_provider_the_server_is_closed_and_signs_its_own_sessions() -> None:
    given = settings(host="0.0.0.0", **OIDC)  # noqa: S104 - what a closed server may do
    check_access(given)
    assert isinstance(build_login(given, SystemClock()), OpenIdConnect)
    access, elsewhere = build_access(given, SystemClock()), build_access(given, SystemClock())
    assert isinstance(access.authenticator, TokenAuthenticator)
    assert access.signer is not None
    ada = Principal(rooms=("*",), rights=frozenset(), subject="oidc:ada")
    token = access.signer.sign(ada, 60).token
    assert (await elsewhere.authenticator.authenticate(token)).subject == "oidc:ada", "at every gateway"


@pytest.mark.parametrize("missing", ["oidc_client_id", "oidc_client_secret"])
def test_a_provider_without_its_client_is_named(missing: str) -> None:
    with pytest.raises(SetupError, match="oidc_client_id and oidc_client_secret"):
        check_access(settings(**{name: value for name, value in OIDC.items() if name != missing}))


@pytest.mark.parametrize(
    ("issuer", "safe"),
    [
        ("http://id.example", False),
        ("http://192.168.1.2:8080", False),
        ("http://localhost.evil.example", False),
        ("http://localhost:8080", True),
        ("http://127.0.0.1:8080/realm", True),
        ("http://[::1]:8080", True),
        ("https://id.example", True),
    ],
)
def test_a_provider_is_spoken_to_in_secret(issuer: str, safe: bool) -> None:
    given = settings(**OIDC | {"oidc_issuer": issuer})
    if safe:
        check_access(given)
    else:
        with pytest.raises(SetupError, match="https"):
            check_access(given)


def test_without_a_provider_there_is_no_login() -> None:
    assert build_login(settings(), SystemClock()) is None


def test_an_open_server_with_a_provider_is_a_contradiction() -> None:
    with pytest.raises(SetupError, match="oidc"):
        check_access(settings(open=True, **OIDC))


@pytest.mark.parametrize(
    ("given", "local"),
    [
        ({}, True),
        ({"host": "::1"}, True),
        ({"open": True}, False),
        ({"host": "0.0.0.0", "open": True}, False),  # noqa: S104 - what is tried
        ({"jwt_secret": "x" * 32}, False),
        (OIDC, False),
    ],
)
def test_names_are_checked_where_being_on_this_machine_is_the_only_key(given: dict[str, Any], local: bool) -> None:
    assert is_local_only(settings(**given)) == local


@pytest.mark.parametrize("origin", ["*", "https://talks.example", "http://localhost:3000", "https://TALKS.example"])
def test_origins_are_as_browsers_write_them(origin: str) -> None:
    assert settings(allowed_origins=[origin]).allowed_origins == (origin.lower(),)


@pytest.mark.parametrize("origin", ["talks.example", "https://talks.example/", "https://*.example/x", "null", ""])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError):
        settings(allowed_origins=[origin])
