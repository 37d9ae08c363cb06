"""Keys as a Secret: gateways wait for it, read it without a right to change it, and end what is revoked."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.e2e.conftest import Address
from tests.k8s_cluster import cluster
from tests.k8s_cluster.conftest import WAITS

pytestmark = pytest.mark.server

ACCESS = cluster.ROOT / "k8s/overlays/gpu/livecaptions.example.toml"


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """dev, with the access of production."""
    folder = tmp_path / "overlay"
    folder.mkdir()
    (folder / "livecaptions.toml").write_text(ACCESS.read_text())
    base = os.path.relpath(cluster.ROOT / "k8s/overlays/dev", folder.resolve())
    secret = "{name: livecaptions-access, behavior: replace, files: [livecaptions.toml]}"  # noqa: S105 - a manifest
    (folder / "kustomization.yaml").write_text(
        f"namespace: {cluster.NAMESPACE}\nresources: [{base}]\nsecretGenerator: [{secret}]\n"
    )
    return folder


def keys(file: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "livecaptions.cli", "keys", *arguments, "--keys-file", str(file)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def deliver(file: Path, folder: Path) -> None:
    """What docs/kubernetes.md says to do after a change of the file."""
    cluster.kubectl("apply", "--filename", str(cluster.ROOT / "k8s/base/namespace.yaml"))
    secret = cluster.kubectl(
        "create", "secret", "generic", "livecaptions-keys", f"--from-file={file}", "--dry-run=client", "--output=yaml"
    )
    (folder / "secret.yaml").write_text(secret)
    cluster.kubectl("apply", "--filename", str(folder / "secret.yaml"))
    gateways = "--selector=app.kubernetes.io/component=gateway"
    cluster.kubectl("annotate", "pods", gateways, f"livecaptions/keys={time.time_ns()}", "--overwrite")


async def test_a_key_from_a_secret_is_used_and_revoked(overlay: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = keys(file, "create", "--rooms", "main").splitlines()[-1]
    deliver(file, tmp_path)
    server = Address(cluster.apply(overlay))
    assert "(1 active key)" in cluster.kubectl(
        "exec", "deploy/livecaptions-gateway", "--", "livecaptions", "check-config"
    )
    with pytest.raises(AssertionError, match=r"cannot write the keys file .*Read-only file system"):
        cluster.kubectl("exec", "deploy/livecaptions-gateway", "--", "livecaptions", "keys", "create")
    async with httpx.AsyncClient(base_url=server.http, headers={"Authorization": f"Bearer {key}"}) as http:
        assert (await http.get("/v1/rooms")).status_code == 200
        assert (await http.get("/metrics")).status_code == 404
        async with connect(f"{server.ws}/v1/rooms/main/captions?token={key}") as viewer:
            keys(file, "revoke", key.split("_")[1])
            await asyncio.to_thread(deliver, file, tmp_path)
            began, last = time.monotonic(), {}
            with contextlib.suppress(ConnectionClosed):
                async with asyncio.timeout(cluster.PATIENCE):
                    async for text in viewer:
                        last = json.loads(text)
            WAITS.append(f"a viewer whose key is revoked was disconnected after {time.monotonic() - began:.1f} s")
            assert (viewer.close_code, last.get("code")) == (1008, "unauthorized")
        await asyncio.sleep(2)  # the other gateway looks at its file once a second
        assert (await http.get("/v1/rooms")).status_code == 401
