"""The probes of all roles."""

from collections.abc import Sequence
from typing import ClassVar

from monitoring.families import Families
from monitoring.gateway_metrics import GatewayProbe
from monitoring.process_metrics import PrometheusProbe
from monitoring.refine_metrics import RefineProbe
from monitoring.worker_metrics import WorkerProbe

__all__ = ["Families", "GatewayProbe", "PrometheusProbe", "RefineProbe", "ServeProbe", "WorkerProbe"]


class ServeProbe(GatewayProbe, WorkerProbe, RefineProbe):
    """A gateway, a worker and the second pass in one process."""

    kinds: ClassVar[tuple[str, ...]] = (*WorkerProbe.kinds, *RefineProbe.kinds)

    def __init__(self, families: Families, version: str, tenants: Sequence[str] | None = None) -> None:
        super().__init__(families, version, tenants)
