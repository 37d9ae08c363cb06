"""The probes of all roles."""

from collections.abc import Sequence

from monitoring.families import Families
from monitoring.gateway_metrics import GatewayProbe
from monitoring.process_metrics import PrometheusProbe
from monitoring.worker_metrics import WorkerProbe

__all__ = ["Families", "GatewayProbe", "PrometheusProbe", "ServeProbe", "WorkerProbe"]


class ServeProbe(GatewayProbe, WorkerProbe):
    """A gateway and a worker in one process."""

    def __init__(self, families: Families, version: str, tenants: Sequence[str] | None = None) -> None:
        super().__init__(families, version, tenants)
