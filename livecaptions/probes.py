"""The probe of each role, according to the settings and the environment."""

import os
from importlib.metadata import version
from pathlib import Path

from captions.errors import SetupError
from livecaptions.settings.fields import Settings
from monitoring.families import Families
from monitoring.metrics import GatewayProbe, RefineProbe, ServeProbe, WorkerProbe

SHARED_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client reads this variable when it is imported."""


def gateway_probe(settings: Settings) -> GatewayProbe:
    """Create the probe of a gateway. Raises ``SetupError`` if PROMETHEUS_MULTIPROC_DIR is not a folder."""
    return GatewayProbe(_families(), version("livecaptions"), tenants(settings))


def worker_probe() -> WorkerProbe:
    """Create the probe of a worker. Raises ``SetupError`` if PROMETHEUS_MULTIPROC_DIR is not a folder."""
    return WorkerProbe(_families(), version("livecaptions"))


def refine_probe() -> RefineProbe:
    """Create the probe of ``refine``. Raises ``SetupError`` if PROMETHEUS_MULTIPROC_DIR is not a folder."""
    return RefineProbe(_families(), version("livecaptions"))


def serve_probe(settings: Settings) -> ServeProbe:
    """Create the probe of ``serve``. Raises ``SetupError`` if PROMETHEUS_MULTIPROC_DIR is not a folder."""
    return ServeProbe(_families(), version("livecaptions"), tenants(settings))


def tenants(settings: Settings) -> tuple[str, ...] | None:
    """The tenants with metrics from the start: those of the tokens. None unless ``tenant_metrics`` is on."""
    named = {token.tenant for token in settings.tokens if token.tenant is not None}
    return tuple(sorted(named)) if settings.tenant_metrics else None


def _families() -> Families:
    shared = os.environ.get(SHARED_VARIABLE)
    if shared is not None and not Path(shared).is_dir():
        raise SetupError(f"{SHARED_VARIABLE} is {shared!r}, which is not a folder: create an empty folder first")
    return Families(Path(shared) if shared is not None else None)
