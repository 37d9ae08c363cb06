"""What the tests of attacks share."""

import pytest

from livecaptions.server import connections, websocket_protocol


@pytest.fixture(autouse=True)
def is_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SWEEP_INTERVAL", 0.05)
    monkeypatch.setattr(websocket_protocol, "CLOSE_TIMEOUT", 0.2)
