"""The probe of each role, as the settings and the environment ask for it."""

import os
from importlib.metadata import version
from pathlib import Path

from captions.errors import SetupError
from livecaptions.settings.fields import Settings
from monitoring.families import Families
from monitoring.metrics import GatewayProbe, ServeProbe, WorkerProbe

SHARED_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client's own: it looks for it when it is imported."""


def gateway_probe(settings: Settings) -> GatewayProbe:
    """What a gateway measures. Raises ``SetupError``."""
    return GatewayProbe(_families(), version("livecaptions"), tenants(settings))


def worker_probe() -> WorkerProbe:
    """What a worker measures. Raises ``SetupError``."""
    return WorkerProbe(_families(), version("livecaptions"))


def serve_probe(settings: Settings) -> ServeProbe:
    """What both in one process measure. Raises ``SetupError``."""
    return ServeProbe(_families(), version("livecaptions"), tenants(settings))


def tenants(settings: Settings) -> tuple[str, ...]:
    """The tenants that get series of their own: those of the tokens, if that was asked for."""
    named = {token.tenant for token in settings.tokens if token.tenant is not None}
    return tuple(sorted(named)) if settings.tenant_metrics else ()


def _families() -> Families:
    shared = os.environ.get(SHARED_VARIABLE)
    if shared is not None and not Path(shared).is_dir():
        raise SetupError(f"{SHARED_VARIABLE} is {shared!r}, which is no folder: make it, empty, before processes start")
    return Families(Path(shared) if shared is not None else None)
