"""Which metrics the settings and the environment ask for."""

from pathlib import Path

import pytest

from captions.errors import SetupError
from livecaptions.probes import gateway_probe, tenants, worker_probe
from livecaptions.settings.fields import Settings

TOKENS = [
    {"token": "a", "tenant": "zenith"},
    {"token": "b"},
    {"token": "c", "tenant": "acme"},
    {"token": "d", "tenant": "acme"},
]


def test_tenants_are_those_of_the_tokens_and_only_if_asked_for() -> None:
    assert tenants(Settings.model_validate({"tokens": TOKENS, "tenant_metrics": True})) == ("acme", "zenith")
    assert tenants(Settings.model_validate({"tokens": TOKENS})) is None
    assert (
        b'tenant="acme"'
        in gateway_probe(Settings.model_validate({"tokens": TOKENS, "tenant_metrics": True})).render()[0]
    )
    assert b"livecaptions_tenant" not in gateway_probe(Settings.model_validate({"tokens": TOKENS})).render()[0]


def test_an_empty_tenant_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 character"):
        Settings.model_validate({"tokens": [{"token": "a", "tenant": ""}]})


def test_a_shared_folder_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(SetupError, match=r"PROMETHEUS_MULTIPROC_DIR .*nowhere.*create an empty folder"):
        worker_probe()
