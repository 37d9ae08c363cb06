"""The search for secrets finds them: the image's own tests look for nothing that they could not see."""

import io
import tarfile

import pytest

from tests.image import secrets

PRIVATE = "-----BEGIN {}PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n"


def layer_with(name: str, content: str) -> tarfile.TarFile:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as layer:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        layer.addfile(entry, io.BytesIO(content.encode()))
    file.seek(0)
    return tarfile.open(fileobj=file)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("app/notes", PRIVATE.format("")),
        ("app/notes", "a line\n" + PRIVATE.format("RSA ")),
        ("app/notes", "AKIA" + "A" * 16),
        ("app/notes", "token: ghp_" + "a" * 36),
        ("app/notes", "key=lck_0123abcd_" + "a" * 32),
        ("root/.netrc", ""),
        ("app/.git", ""),
        ("app/server.key", ""),
        ("etc/livecaptions/livecaptions.toml", ""),
    ],
)
def test_a_secret_is_found(name: str, content: str) -> None:
    with layer_with(name, content) as layer:
        assert list(secrets.found(layer)) == [name]


@pytest.mark.parametrize("name", ["app/public.pem", "app/monkey", "app/environment", "app/key"])
@pytest.mark.parametrize("content", ["-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n", repr(PRIVATE.format(""))])
def test_what_is_none_is_not(name: str, content: str) -> None:
    """The second content is a program's that reads keys."""
    with layer_with(name, content) as layer:
        assert not list(secrets.found(layer))
