"""``livecaptions keys`` as a user runs it."""

import json
import time
from pathlib import Path

import pytest

from tests.livecaptions.cli import livecaptions

pytestmark = pytest.mark.server


async def test_a_key_is_made_listed_and_revoked(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    rights = ["--rooms", "main-*,hall", "--rights", "publish,view", "--tenant", "acme"]
    arguments = [*rights, "--expires", "30d", "--name", "Ada"]
    code, out, err = await livecaptions("keys", "create", "--keys-file", str(file), *arguments)
    assert (code, err) == (0, "")
    secret = out.splitlines()[-1]
    assert secret.startswith("lck_")
    assert "publish, view in rooms main-*, hall of tenant acme; expires 20" in out
    code, out, _ = await livecaptions("keys", "list", "--keys-file", str(file), "--json")
    (key,) = json.loads(out)
    assert code == 0
    assert key["expires_at"] - key["created_at"] == 30 * 86_400
    assert abs(key["created_at"] - time.time()) < 100
    assert {name: key[name] for name in ("name", "tenant", "rooms", "rights", "state")} == {
        "name": "Ada",
        "tenant": "acme",
        "rooms": ["main-*", "hall"],
        "rights": ["publish", "view"],
        "state": "active",
    }
    assert secret not in out
    code, out, _ = await livecaptions("keys", "revoke", key["id"], "--keys-file", str(file))
    assert (code, "is revoked" in out) == (0, True)
    code, out, _ = await livecaptions("keys", "list", "--keys-file", str(file))
    assert key["id"] in out
    assert "revoked" in out


async def test_a_key_may_have_limits_of_its_own(tmp_path: Path) -> None:
    file = ["--keys-file", str(tmp_path / "keys.json")]
    code, _, err = await livecaptions("keys", "create", *file, "--limits", '{"sessions": 2, "viewers": 0}')
    assert (code, err) == (0, "")
    await livecaptions("keys", "create", *file)  # which writes the file again
    _, out, _ = await livecaptions("keys", "list", *file, "--json")
    assert [key["limits"] for key in json.loads(out)] == [{"sessions": 2, "viewers": 0}, None]


async def test_the_file_is_that_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECAPTIONS_KEYS_FILE", str(tmp_path / "keys.json"))
    code, _, _ = await livecaptions("keys", "create")
    assert code == 0
    code, out, _ = await livecaptions("keys", "list", "--json")
    (key,) = json.loads(out)
    assert (key["rooms"], key["rights"], key.get("expires_at")) == (["*"], ["publish", "view"], None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create"], "no keys file: name it with --keys-file"),
        (["create", "--rights", "publish,sing", "--keys-file", "k"], "there is no right sing"),
        (["create", "--expires", "soon", "--keys-file", "k"], "write a number with s, m, h, d or w"),
        (["create", "--limits", '{"speed": 0.5}', "--keys-file", "k"], "speed: has to be 1 or more"),
        (["create", "--limits", "lots", "--keys-file", "k"], "is not JSON"),
        (["create", "--expires", "999999999w", "--keys-file", "k"], "a hundred years at most"),
        (["create", "--rooms", " , ", "--keys-file", "k"], "--rooms: name one or more"),
        (["create", "--rights", "", "--keys-file", "k"], "--rights: name one or more"),
        (["create", "--rooms", "a/b", "--keys-file", "k"], "rooms.0"),
        (["create", "--tenant", "a b", "--keys-file", "k"], "tenant"),
        (["list", "--keys-file", "missing"], "there is no keys file missing"),
        (["revoke", "deadbeef", "--keys-file", "missing"], "there is no keys file missing"),
    ],
)
async def test_what_is_wrong_is_said(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = await livecaptions("keys", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "k").exists()
