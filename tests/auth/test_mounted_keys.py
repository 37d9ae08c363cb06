"""The keys file as a pod has it: links that the kubelet swaps, on a file system that cannot be written."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from auth.api_keys import READ_INTERVAL, ApiKeys
from auth.keys_file import KeysFile
from captions.access import Right
from captions.errors import Unauthorized
from tests.auth.clock import SetClock


def deliver(folder: Path, version: str, content: bytes) -> None:
    """Replace the files of a Secret's volume as the kubelet does: all of them at once, by one link."""
    (folder / version).mkdir()
    (folder / version / "keys.json").write_bytes(content)
    (folder / "..data_tmp").symlink_to(version)
    (folder / "..data_tmp").rename(folder / "..data")
    if not (folder / "keys.json").is_symlink():
        (folder / "keys.json").symlink_to("..data/keys.json")


def test_a_revocation_is_seen_once_the_kubelet_delivers_it(tmp_path: Path) -> None:
    original, pod, clock = KeysFile(tmp_path / "keys.json"), tmp_path / "pod", SetClock()
    key, secret = original.create(1, rooms=("*",), rights=frozenset({Right.VIEW}))
    pod.mkdir()
    deliver(pod, "..one", original.path.read_bytes())
    keys = ApiKeys(pod / "keys.json", clock)
    assert keys.principal_of(secret) is not None
    original.revoke(key.id, 2)
    clock.passed += READ_INTERVAL
    assert not keys.revoked(key.id)
    deliver(pod, "..two", original.path.read_bytes())
    clock.passed += READ_INTERVAL
    assert keys.revoked(key.id)
    with pytest.raises(Unauthorized, match="revoked"):
        keys.principal_of(secret)


@pytest.mark.server
@pytest.mark.parametrize("command", ["create", "revoke KEY"])
def test_keys_cannot_be_changed_where_they_are_mounted_read_only(tmp_path: Path, command: str) -> None:
    own_mounts = ["unshare", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*own_mounts, "true"], check=False).returncode:
        pytest.skip("no unshare (util-linux) that may mount a file system")
    path = tmp_path / "keys.json"
    key, _ = KeysFile(path).create(1, rooms=("*",), rights=frozenset({Right.VIEW}))
    before = path.read_bytes()
    program = f"{sys.executable} -m livecaptions.cli keys"
    script = (
        f"mount --bind {tmp_path} {tmp_path} && mount -o remount,ro,bind {tmp_path} && "
        f"{program} list --keys-file {path} && {program} {command.replace('KEY', key.id)} --keys-file {path}"
    )
    done = subprocess.run(
        [*own_mounts, "sh", "-c", script],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert key.id in done.stdout, "reading works"
    assert done.stderr == (
        f"livecaptions: cannot write the keys file {path}: Read-only file system; "
        "change the original that it is made from\n"
    )
    assert path.read_bytes() == before
