import concurrent.futures
import hashlib
import os
import stat
from pathlib import Path

import pytest

from auth.keys_file import KeysFile, find
from captions.access import Right
from captions.errors import SetupError

VIEW = frozenset({Right.VIEW})


def made(path: Path, **given: object) -> tuple[str, str]:
    key, secret = KeysFile(path).create(100, **{"rooms": ("main",), "rights": VIEW, **given})  # type: ignore[arg-type] # the test's own
    return key.id, secret


def test_the_file_has_the_hash_of_a_key_and_not_the_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    identifier, secret = made(path, tenant="acme", name="Ada", expires_at=200)
    content = path.read_text()
    assert secret not in content
    assert secret.rpartition("_")[2] not in content
    assert hashlib.sha256(secret.encode()).hexdigest() in content
    key = find(KeysFile(path).read(), identifier)
    assert key is not None
    assert key.matches(secret)
    assert not key.matches(secret + "x")
    principal = key.principal()
    assert (principal.tenant, principal.subject, principal.credential, principal.expires_at) == (
        "acme", "key:Ada", identifier, 200,
    )  # fmt: skip
    assert (principal.rooms, principal.rights) == (("main",), VIEW)


def test_only_the_owner_may_read_a_new_file_and_later_changes_keep_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    made(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_signing_secret_stays_and_differs_between_files(tmp_path: Path) -> None:
    one, other = KeysFile(tmp_path / "one.json"), KeysFile(tmp_path / "other.json")
    made(one.path)
    before = one.read().signing_secret
    made(one.path)
    made(other.path)
    assert one.read().signing_secret == before != other.read().signing_secret


def test_a_key_is_active_until_it_expires_or_is_revoked(tmp_path: Path) -> None:
    file = KeysFile(tmp_path / "keys.json")
    identifier, secret = made(file.path, expires_at=200)
    other, _ = made(file.path)
    key = find(file.read(), identifier)
    assert key is not None
    assert [key.state(now) for now in (199, 200)] == ["active", "expired"]
    assert file.revoke(secret, 150).id == identifier
    assert file.revoke(identifier, 160).revoked_at == 150
    assert [key.state(170) for key in file.read().keys] == ["revoked", "active"]
    assert file.revoke(other, 180).state(180) == "revoked"


def test_keys_made_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with concurrent.futures.ThreadPoolExecutor(8) as executor:
        identifiers = {identifier for identifier, _ in executor.map(lambda _: made(path), range(32))}
    assert {key.id for key in KeysFile(path).read().keys} == identifiers
    assert len(identifiers) == 32
    assert [entry.name for entry in tmp_path.iterdir() if "json." in entry.name.removesuffix(".lock")] == []


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(SetupError, match=r"no keys file .*livecaptions keys create"):
        KeysFile(path).read()
    with pytest.raises(SetupError, match="tenant"):
        made(path, tenant="no/slash")
    with pytest.raises(SetupError, match="rooms"):
        made(path, rooms=("a/b",))
    made(path)
    with pytest.raises(SetupError, match="no key deadbeef"):
        KeysFile(path).revoke("deadbeef", 1)
    path.write_text("{")
    with pytest.raises(SetupError, match="is not valid"):
        KeysFile(path).read()
    with pytest.raises(SetupError, match="cannot write"):
        made(tmp_path / "missing" / "keys.json")


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    made(tmp_path / "real.json")
    (tmp_path / "link.json").symlink_to("real.json")
    identifier, _ = made(tmp_path / "link.json")
    KeysFile(tmp_path / "link.json").revoke(identifier, 5)
    assert (tmp_path / "link.json").is_symlink()
    assert [key.revoked_at for key in KeysFile(tmp_path / "real.json").read().keys] == [None, 5]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to others")
def test_the_owner_of_the_file_stays_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made(path)
    os.chown(path, 65534, 65534)
    made(path)
    assert (path.stat().st_uid, path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (65534, 65534, 0o600)
