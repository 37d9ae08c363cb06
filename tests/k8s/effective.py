"""The settings that a process would have in its pod, with its Secrets as files in a folder of this machine."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from auth.keys_file import KeysFile
from captions.access import Right
from livecaptions.commands.check_config import Role, check_config
from livecaptions.settings.fields import ENV_PREFIX, Settings
from livecaptions.settings.load import load
from tests.k8s.manifests import Manifests, Object, container_of, pod_of
from tools.k8s.lint import ROOT

EXAMPLE = ROOT / "k8s/overlays/gpu/livecaptions.example.toml"
ACCESS = "/etc/livecaptions/"

Secrets = Mapping[str, Mapping[str, bytes]]
"""Values by Secret and key."""


def settings_of(
    manifests: Manifests, workload: Object, secrets: Secrets, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> Settings:
    """The settings as the container would have them, after ``check-config``. Raises ``SetupError``."""
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        monkeypatch.delenv(name)
    moved = _mount(workload, secrets, folder)
    for name, value in (manifests.environment(workload) | _secret_variables(workload, secrets)).items():
        monkeypatch.setenv(name, moved.get(value, value))
    effective = load({})
    check_config(effective, Role.GATEWAY if container_of(workload)["args"] == ["gateway"] else Role.WORKER)
    return effective.settings


def example_secrets(folder: Path) -> Secrets:
    """The Secrets that the example for production says how to make."""
    path = folder / "made.json"
    KeysFile(path).create(1, rooms=("main-*",), rights=frozenset({Right.PUBLISH, Right.VIEW}))
    return {
        "livecaptions-access": {"livecaptions.toml": EXAMPLE.read_bytes()},
        "livecaptions-keys": {"keys.json": path.read_bytes()},
    }


def rendered_secrets(manifests: Manifests) -> Secrets:
    """The Secrets that an overlay brings along."""
    return {
        secret["metadata"]["name"]: {key: base64.b64decode(value) for key, value in secret["data"].items()}
        for secret in manifests.of("Secret")
    }


def secret_files(workload: Object) -> dict[str, tuple[str, str]]:
    """The paths of files that come from Secrets, each with the Secret and the key."""
    places = {mount["name"]: mount["mountPath"] for mount in container_of(workload)["volumeMounts"]}
    return {
        f"{places[volume['name']]}/{item['path']}": (source.get("name") or source["secretName"], item["key"])
        for volume in pod_of(workload)["volumes"]
        for source in secret_sources(volume)
        for item in source["items"]
    }


def secret_sources(volume: Object) -> list[Object]:
    """The Secrets that a volume is made of."""
    if "secret" in volume:
        return [volume["secret"]]
    return [source["secret"] for source in volume.get("projected", {}).get("sources", ())]


def _mount(workload: Object, secrets: Secrets, folder: Path) -> dict[str, str]:
    """Write what is mounted at ``ACCESS`` into ``folder``. Returns where each path in the pod is now."""
    files = {path: source for path, source in secret_files(workload).items() if path.startswith(ACCESS)}
    moved = {path: str(folder / path.removeprefix(ACCESS)) for path in files}
    found = {path: secrets[name][key] for path, (name, key) in files.items() if key in secrets.get(name, ())}
    for path, content in found.items():
        for inside, here in moved.items():
            content = content.replace(inside.encode(), here.encode())  # noqa: PLW2901 - the file of this machine
        Path(moved[path]).write_bytes(content)
    return moved


def _secret_variables(workload: Object, secrets: Secrets) -> dict[str, str]:
    return {
        variable["name"]: secrets[reference["name"]][reference["key"]].decode()
        for variable in container_of(workload).get("env", ())
        if (reference := variable.get("valueFrom", {}).get("secretKeyRef"))
        and reference["key"] in secrets.get(reference["name"], ())
    }
