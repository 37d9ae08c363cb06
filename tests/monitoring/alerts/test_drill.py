"""A drill: the only worker is killed, the page comes; it is started again, and the page is taken back.

Everything is real: broker, gateway, worker, Prometheus, Alertmanager. Rules and routes are the production files with
every duration a twentieth (DRILL_SCALE=1: as they are), because a minute of waiting is a minute of CI.
"""

import asyncio
import os
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from livecaptions.processes import free_ports
from tests.monitoring.alerts.servers import alertmanager, listening_pager, prometheus, ready, running

pytestmark = [pytest.mark.kafka, pytest.mark.prometheus, pytest.mark.alertmanager]

SCALE = float(os.environ.get("DRILL_SCALE", "0.05"))
INTERVAL = max(1.0, 5 * SCALE)
"""Seconds between two scrapes: no less than what a busy machine manages."""
TIMEOUT = 120 + 300 * SCALE
"""Seconds, on a busy machine, for what takes 4 minutes of the rules' time."""

CLI = (sys.executable, "-m", "livecaptions.cli")


async def test_a_worker_is_killed_and_comes_back(bootstrap: str, tmp_path: Path) -> None:
    ears, measures = free_ports(2)
    common = ("--transport", f"kafka://{bootstrap}", "--kafka-prefix", f"drill-{ears}-", "--partitions", "4")
    worker = (*CLI, "worker", *common, "--model", "tiny.en", "--threads", "1", "--metrics-port", str(measures))
    targets = {"livecaptions-gateway": f"127.0.0.1:{ears}", "livecaptions-worker": f"127.0.0.1:{measures}"}
    async with AsyncExitStack() as stack:
        async with running(*CLI, "topics", *common) as making:
            assert await making.wait() == 0
        await stack.enter_async_context(running(*CLI, "gateway", *common, "--port", str(ears)))
        victim = await stack.enter_async_context(running(*worker))
        await ready(f"http://127.0.0.1:{measures}/readyz")
        await ready(f"http://127.0.0.1:{ears}/readyz")
        pager = await stack.enter_async_context(listening_pager())
        sends = await stack.enter_async_context(alertmanager(tmp_path, pager, SCALE))
        watch = await stack.enter_async_context(prometheus(tmp_path, targets, sends, SCALE, INTERVAL))
        await asyncio.sleep(120 * SCALE + 2 * INTERVAL)
        assert pager.sent == []  # all is well

        victim.kill()
        killed = time.monotonic()
        paged, page = await pager.told("LivecaptionsNoWorker", "firing", TIMEOUT)
        assert page["labels"]["severity"] == "page"
        assert page["annotations"]["runbook_url"] == "docs/runbooks/LivecaptionsNoWorker.md"
        await watch.until_firing("LivecaptionsPartitionUnowned", TIMEOUT)
        await asyncio.sleep(120 * SCALE)
        assert {alert["labels"]["alertname"] for _, alert in pager.alerts("pager", "firing")} == {
            "LivecaptionsNoWorker"  # the cause alone
        }

        await stack.enter_async_context(running(*worker))
        await ready(f"http://127.0.0.1:{measures}/readyz")
        back = time.monotonic()
        resolved, _ = await pager.told("LivecaptionsNoWorker", "resolved", TIMEOUT)
        sys.stdout.write(
            f"paged {paged - killed:.1f} s after the kill, resolved {resolved - back:.1f} s after it was back\n"
        )
