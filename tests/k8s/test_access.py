"""Who is let in: secrets are in Secrets alone, and what the settings name is mounted where they say."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from joserfc.jwk import ECKey
from pydantic import SecretStr

from captions.errors import SetupError
from livecaptions.settings.fields import ENV_PREFIX, Settings
from livecaptions.settings.load import SECRETS
from tests.k8s.effective import (
    Secrets,
    example_secrets,
    rendered_secrets,
    secret_files,
    settings_of,
)
from tests.k8s.manifests import COMPONENTS, Manifests, container_of, manifests, manifests_with, pod_of
from tools.k8s.lint import OVERLAYS

pytestmark = pytest.mark.k8s

RENDERED: list[tuple[str, Callable[[str], Manifests]]] = [
    *((overlay, manifests) for overlay in OVERLAYS),
    *((component, manifests_with) for component in COMPONENTS),
]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Gateway":
    return Gateway(manifests("gpu"), monkeypatch, tmp_path)


class Gateway:
    """A gateway's settings with the Secrets that a test gives."""

    def __init__(self, rendered: Manifests, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._rendered = rendered
        self._monkeypatch = monkeypatch
        self.folder = folder
        self.workload = rendered.get("Deployment", "livecaptions-gateway")

    def settings(self, secrets: Secrets) -> Settings:
        return settings_of(self._rendered, self.workload, secrets, self._monkeypatch, self.folder)


def test_every_secret_setting_is_known_as_one() -> None:
    secret = {name for name, field in Settings.model_fields.items() if SecretStr in get_args(field.annotation)}
    assert {*secret, "tokens"} == set(SECRETS)


@pytest.mark.parametrize(("name", "made"), RENDERED, ids=[name for name, _ in RENDERED])
def test_no_secret_is_in_a_config_map_or_in_plain_sight(name: str, made: Callable[[str], Manifests]) -> None:
    rendered = made(name)
    secret = {ENV_PREFIX + setting.upper() for setting in SECRETS}
    for config in rendered.of("ConfigMap"):
        assert not secret & config["data"].keys()
    for workload in rendered.workloads():
        for variable in container_of(workload).get("env", ()):
            assert variable["name"] not in secret or "secretKeyRef" in variable["valueFrom"]
        flags = {"--" + setting.replace("_", "-") for setting in SECRETS}
        assert not any(argument.partition("=")[0] in flags for argument in container_of(workload).get("args", ()))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_gateways_alone_have_keys_and_may_read_but_not_write_them(overlay: str) -> None:
    for workload in manifests(overlay).processes():
        names = {name for name, _ in secret_files(workload).values()}
        variables = {variable["name"] for variable in container_of(workload)["env"]}
        is_gateway = container_of(workload)["args"] == ["gateway"]
        assert ("livecaptions-keys" in names) is is_gateway
        assert ("LIVECAPTIONS_JWT_SECRET" in variables) is is_gateway
    gateway = manifests(overlay).get("Deployment", "livecaptions-gateway")
    (mount,) = (mount for mount in container_of(gateway)["volumeMounts"] if mount["name"] == "access")
    assert mount["readOnly"] is True
    assert "subPath" not in mount, "it would keep revoked keys until the pod ends"
    (volume,) = (volume for volume in pod_of(gateway)["volumes"] if volume["name"] == "access")
    assert volume["projected"]["defaultMode"] == 0o440
    assert pod_of(gateway)["securityContext"]["fsGroup"] == pod_of(gateway)["securityContext"]["runAsGroup"]


def test_the_example_names_a_keys_file_that_is_mounted(gpu: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    settings = gpu.settings(example_secrets(gpu.folder))
    assert settings.keys_file is not None
    assert f"/etc/livecaptions/{settings.keys_file.name}" in secret_files(gpu.workload)
    assert not settings.tokens
    assert f"access: keys file {settings.keys_file} (1 active key)\n" in capsys.readouterr().out


def test_tokens_of_before_still_work_alone_and_beside_keys(gpu: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    tokens = b'[[tokens]]\ntoken = "old"\nrooms = ["main-*"]\n'
    assert gpu.settings({"livecaptions-access": {"livecaptions.toml": tokens}}).tokens
    assert "access: 1 of [[tokens]], which are deprecated\n" in capsys.readouterr().out
    new = example_secrets(gpu.folder)
    both = {"livecaptions.toml": new["livecaptions-access"]["livecaptions.toml"] + tokens}
    settings = gpu.settings({**new, "livecaptions-access": both})
    assert settings.tokens
    assert settings.keys_file is not None


@pytest.mark.parametrize(("content", "says"), [(b"", "livecaptions keys create"), (None, "there is no keys file")])
def test_production_without_keys_is_refused(gpu: Gateway, content: bytes | None, says: str) -> None:
    access = example_secrets(gpu.folder)["livecaptions-access"]["livecaptions.toml"] if content is None else content
    with pytest.raises(SetupError, match=says):
        gpu.settings({"livecaptions-access": {"livecaptions.toml": access}})


def test_secrets_and_key_sets_of_jwt_reach_the_gateway(gpu: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    public = ECKey.generate_key("P-256").as_dict(private=False)
    access = {
        "livecaptions.toml": b'jwt_jwks = "/etc/livecaptions/jwks.json"\njwt_audience = "captions"\n',
        "jwks.json": json.dumps({"keys": [public]}).encode(),
        "jwt-secret": b"only for this test, 32 bytes long",
    }
    settings = gpu.settings({"livecaptions-access": access})
    assert settings.jwt_secret is not None
    assert settings.jwt_secret.get_secret_value() == access["jwt-secret"].decode()
    printed = capsys.readouterr().out
    assert f"access: JWT from jwt_secret and {settings.jwt_jwks}, audience captions\n" in printed
    assert access["jwt-secret"].decode() not in printed


def test_the_issuers_component_has_its_address_and_check_config_takes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = Gateway(manifests_with("jwt-issuer"), monkeypatch, tmp_path)
    settings = gateway.settings({"livecaptions-access": {"livecaptions.toml": b""}})
    assert (settings.jwt_jwks or "").startswith("https://"), "the policy allows 443 only"
    assert settings.jwt_issuer
    assert settings.jwt_audience
    assert f"access: JWT from {settings.jwt_jwks}, issuer {settings.jwt_issuer}," in capsys.readouterr().out


def test_one_node_is_open_on_purpose(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = Gateway(manifests("dev"), monkeypatch, tmp_path)
    assert gateway.settings(rendered_secrets(manifests("dev"))).open
    assert "access: open to everybody: --open\n" in capsys.readouterr().out
