"""A server is open at home alone, unless that is said."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from auth.keys_file import KeysFile
from captions.access import Right
from captions.errors import SetupError
from captions.ports.authenticator import OpenAccess
from livecaptions.access import build_access, check_access, describe_access
from livecaptions.clock import SystemClock
from livecaptions.settings.fields import Settings

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is refused


def settings(**given: Any) -> Settings:  # noqa: ANN401 - any setting
    return Settings.model_validate(given)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    KeysFile(path).create(1, rooms=("*",), rights=frozenset({Right.VIEW}))
    return path


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_without_keys_this_machine_alone_is_listened_to(host: str) -> None:
    check_access(settings(host=host))
    assert isinstance(build_access(settings(host=host), SystemClock()).authenticator, OpenAccess)


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.168.1.2", "captions.example.org"])
def test_elsewhere_there_are_two_ways_out(host: str, keys: Path) -> None:
    with pytest.raises(SetupError, match="livecaptions keys create") as error:
        check_access(settings(host=host))
    assert "--open" in str(error.value)
    check_access(settings(host=host, open=True))
    check_access(settings(host=host, keys_file=keys))
    check_access(settings(host=host, tokens=[{"token": "old"}]))


@pytest.mark.parametrize(
    "given", [{"jwt_secret": "s" * 32}, {"jwt_jwks": "https://id/jwks"}, {"tokens": [{"token": "old"}]}]
)
def test_a_server_with_keys_is_not_open(given: dict[str, Any]) -> None:
    check_access(settings(host=EVERYWHERE, **given))
    with pytest.raises(SetupError, match="open lets everybody in"):
        check_access(settings(open=True, **given))
    assert not isinstance(build_access(settings(**given), SystemClock()).authenticator, OpenAccess)


def test_files_that_cannot_be_read_are_named_at_the_start(tmp_path: Path) -> None:
    for given in ({"keys_file": tmp_path / "none"}, {"jwt_jwks": str(tmp_path / "none")}):
        with pytest.raises(SetupError, match="none"):
            check_access(settings(**given))


def test_an_operator_is_told_of_what_is_deprecated_or_weak() -> None:
    with capture_logs() as logged:
        build_access(settings(tokens=[{"token": "old"}], jwt_secret="s" * 31), SystemClock())
    assert [line["event"] for line in logged] == ["tokens_deprecated", "jwt_secret_too_short"]
    with capture_logs() as logged:
        build_access(settings(jwt_secret="s" * 32), SystemClock())
    assert logged == []


async def test_old_tokens_have_the_rights_that_they_had() -> None:
    access = build_access(settings(tokens=[{"token": "old", "tenant": "acme"}]), SystemClock())
    principal = await access.authenticator.authenticate("old")
    assert (principal.rights, principal.tenant) == (frozenset({Right.PUBLISH, Right.VIEW}), "acme")
    assert access.signer is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "open to this machine only"),
        ({"open": True}, "open to this machine only"),
        ({"host": EVERYWHERE, "open": True}, "open to everybody: --open"),
        ({"jwt_jwks": "https://id/jwks", "jwt_audience": "us"}, "JWT from https://id/jwks, audience us"),
        (
            {"jwt_secret": "s" * 32, "jwt_jwks": "https://id/jwks", "jwt_issuer": "https://id"},
            "JWT from jwt_secret and https://id/jwks, issuer https://id",
        ),
        ({"tokens": [{"token": "old"}, {"token": "older"}]}, "2 of [[tokens]], which are deprecated"),
    ],
)
def test_how_a_server_is_protected_is_said_in_a_line(given: dict[str, Any], says: str) -> None:
    assert describe_access(settings(**given), SystemClock()) == says


def test_keys_that_are_revoked_or_expired_are_not_counted(keys: Path) -> None:
    file = KeysFile(keys)
    revoked, _ = file.create(1, rooms=("*",), rights=frozenset({Right.VIEW}))
    file.create(1, rooms=("*",), rights=frozenset({Right.VIEW}), expires_at=2)
    file.create(1, rooms=("*",), rights=frozenset({Right.VIEW}))
    file.revoke(revoked.id, 2)
    told = describe_access(settings(keys_file=keys, jwt_secret="s" * 32), SystemClock())
    assert told == f"keys file {keys} (2 active keys), JWT from jwt_secret"


def test_a_tenant_with_a_slash_is_refused_because_its_rooms_could_be_anothers() -> None:
    with pytest.raises(ValidationError, match="a name without a slash"):
        settings(tokens=[{"token": "old", "tenant": "acme/hall"}])


@pytest.mark.parametrize("given", [{"jwt_issuer": "https://id"}, {"jwt_audience": "us"}])
def test_what_checks_tokens_that_nothing_verifies_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(SetupError, match="set jwt_secret or jwt_jwks too"):
        check_access(settings(**given))


def test_checking_the_settings_logs_nothing() -> None:
    with capture_logs() as logged:
        check_access(settings(tokens=[{"token": "old"}], jwt_secret="short"))
    assert logged == []
