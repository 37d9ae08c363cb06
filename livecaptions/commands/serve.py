"""``livecaptions serve``: gateway, worker and log in one process."""

import asyncio
import signal

import structlog
import uvloop

from livecaptions.clock import SystemClock
from livecaptions.server import listen, serving
from livecaptions.settings.fields import Settings
from livecaptions.settings.load import Effective
from livecaptions.wiring import build_engine, build_gateway, memory_log, working
from monitoring.logs import configure_logs
from monitoring.metrics import PrometheusProbe
from streamer.app import create_app

logger = structlog.get_logger(__name__)


def serve(effective: Effective) -> None:
    """Serve live captions from this process: speakers, viewers, pages and the model."""
    settings = effective.settings
    configure_logs(settings.log_format, settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = _stop_signal()
    sock = listen(settings.host, settings.port)  # first: whether it can be had is known at once
    engine = await asyncio.to_thread(build_engine, settings)
    await asyncio.to_thread(engine.warm_up)
    clock, probe = SystemClock(), PrometheusProbe()
    log = memory_log(settings, clock)
    gateway = build_gateway(settings, log, clock, probe)
    app = create_app(gateway, metrics=probe.render, not_ready=list)
    async with working(settings, log, engine, clock, probe), serving(app, sock):
        host, port = sock.getsockname()[:2]
        logger.info("serving", url=f"http://{host}:{port}/", **engine.describe(), vad=settings.vad)
        await stop.wait()
        logger.info("stopping", deadline=settings.drain_deadline)
        await gateway.drain(settings.drain_deadline)
    await gateway.close()
    logger.info("stopped")


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
