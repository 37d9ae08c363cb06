"""``livecaptions serve``, ``gateway``, ``worker`` and ``refine``: all roles in one process, or one role each."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import structlog
import uvloop
from fastapi import FastAPI
from starlette.requests import Request

from captions.errors import Forbidden
from captions.ports.clock import Clock
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.ports.tracer import Tracer
from captions.records import AUDIO
from inference.engine import WhisperEngine
from inference.engine.low_priority import at_low_priority
from inference.spare_time import SpareTime
from livecaptions.access import check_access
from livecaptions.clock import SystemClock
from livecaptions.garbage import release_memory_periodically, tune_garbage_collection
from livecaptions.login import build_login
from livecaptions.logs import kafka_settings, open_log
from livecaptions.observation import LogWatch, alongside, sample, watch_loop
from livecaptions.probes import gateway_probe, serve_probe, worker_probe
from livecaptions.server import listen, serving
from livecaptions.settings.fields import Settings
from livecaptions.settings.load import Effective
from livecaptions.traces import check_traces, flush_time, tracing
from livecaptions.usage import check_usage, usage_of
from livecaptions.wiring import (
    Work,
    batches_of,
    build_engines,
    build_gateway,
    build_refining_engines,
    check_rooms,
    connection_limits,
    refining,
    working,
)
from monitoring.audit import configure_audit
from monitoring.endpoints import NotReady, Readiness, endpoints_alone, health, metrics_endpoint
from monitoring.http import MeasuredRequests
from monitoring.logs import configure_logs
from monitoring.metrics import GatewayProbe
from monitoring.observed_log import ObservedLog
from streamer.gateway import Gateway
from streamer.glossaries import glossaries_on_log
from streamer.web.app import create_app
from streamer.web.credentials import check_operator
from streamer.web.openapi import WITH_TOKEN, refusals

logger = structlog.get_logger(__name__)

Build = Callable[[], list[WhisperEngine]]
"""Loads the engines of a role; it blocks."""

Role = Callable[[Settings, asyncio.Event], Awaitable[None]]
"""A role, which runs until the event is set."""


def serve(effective: Effective) -> None:
    """Run gateway and worker in one process: publishers, viewers, pages and the model."""
    check_access(effective.settings)
    run(effective.settings, _serve)


def gateway(effective: Effective) -> None:
    """Run a gateway: it serves publishers, viewers and pages. Workers decode the audio, which they get over Kafka."""
    kafka_settings(effective.settings)
    check_access(effective.settings)
    run(effective.settings, _gateway)


def worker(effective: Effective) -> None:
    """Run a worker: it decodes the audio that gateways put on Kafka."""
    kafka_settings(effective.settings)
    run(effective.settings, _worker)


def refine(effective: Effective) -> None:
    """Run the second pass: it decodes finished speech again, which it gets over Kafka, and improves its captions."""
    kafka_settings(effective.settings)
    run(effective.settings, _refine)


def run(settings: Settings, role: Role) -> None:
    """Run a role until SIGINT or SIGTERM."""
    check_traces(settings)
    check_rooms(settings)
    check_usage(settings)
    configure_logs(settings.log_format, settings.log_level)
    configure_audit(settings.audit_file)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_signalled(settings, role))


async def _until_signalled(settings: Settings, role: Role) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await role(settings, stop)
    logger.info("stopped")


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    sock = listen(settings.host, settings.port)  # first, so that an address in use fails immediately
    clock, probe = SystemClock(), serve_probe(settings)
    engines = await _engines(partial(build_engines, settings), probe)
    behind = await engines_behind(settings, probe)
    spare_time = SpareTime(batches_of(engines))
    async with (
        tracing(settings, clock, "livecaptions") as tracer,
        _log(settings, clock, probe) as log,
        working(settings, log, engines, clock, probe, tracer=tracer, spare_time=spare_time) as work,
        _refining_alongside(settings, log, behind, clock, probe, spare_time) as tasks,
    ):
        stopped = partial(_stopped, stop, work.task, *tasks)
        await _answer(settings, sock, log, clock, probe, tracer, stopped, work.not_ready, **engines[0].describe())


async def engines_behind(settings: Settings, probe: Probe) -> list[WhisperEngine]:
    """The engines of the second pass, at low priority, for one window at a time; none if it is off."""
    if not settings.refines:
        return []
    build = partial(build_refining_engines, settings, decoders=1)
    return await _engines(partial(at_low_priority, build), probe)


@asynccontextmanager
async def _refining_alongside(
    settings: Settings, log: Log, engines: list[WhisperEngine], clock: Clock, probe: Probe, spare_time: SpareTime
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Do the second pass while live captions leave time. Its task, if it has engines, ends only by an error."""
    if not engines:
        yield []
        return
    async with refining(settings, log, engines, clock, probe, spare_time=spare_time) as work:
        yield [work.task]


async def _gateway(settings: Settings, stop: asyncio.Event) -> None:
    sock = listen(settings.host, settings.port)
    clock, probe = SystemClock(), gateway_probe(settings)
    async with tracing(settings, clock, "livecaptions-gateway") as tracer, _log(settings, clock, probe) as log:
        await _answer(settings, sock, log, clock, probe, tracer, stop.wait, list)


async def _worker(settings: Settings, stop: asyncio.Event) -> None:
    @asynccontextmanager
    async def at_work(log: Log, engines: list[WhisperEngine], clock: Clock, probe: Probe) -> AsyncIterator[Work]:
        async with (
            tracing(settings, clock, "livecaptions-worker") as tracer,
            working(settings, log, engines, clock, probe, tracer=tracer) as work,
        ):
            yield work

    await _alone(settings, stop, partial(build_engines, settings), at_work)


async def _refine(settings: Settings, stop: asyncio.Event) -> None:
    build = partial(build_refining_engines, settings, decoders=settings.decoders)
    await _alone(settings, stop, build, partial(refining, settings))


async def _alone(
    settings: Settings,
    stop: asyncio.Event,
    build: Build,
    at_work: Callable[[Log, list[WhisperEngine], Clock, Probe], AbstractAsyncContextManager[Work]],
) -> None:
    """Work in a process of its own until ``stop``."""
    sock = listen(settings.host, settings.metrics_port, "--metrics-port")
    clock, probe = SystemClock(), worker_probe()
    readiness = Readiness("the model is loading")
    async with (
        serving(endpoints_alone(probe.render, readiness.reasons), sock),
        alongside(watch_loop(probe)),
    ):
        logger.info("listening", url=_url(sock))
        engines = await _engines(build, probe)
        readiness.starting = "the log is not connected yet"
        async with (
            _log(settings, clock, probe) as log,
            at_work(log, engines, clock, probe) as work,
        ):
            readiness.started(work.not_ready)
            probe.audio_partitions(log.partitions(AUDIO))
            logger.info("working", **engines[0].describe())
            await _stopped(stop, work.task)
            logger.info("stopping")


async def _engines(build: Build, probe: Probe) -> list[WhisperEngine]:
    engines = await asyncio.to_thread(build)
    for engine in engines:
        await asyncio.to_thread(engine.warm_up)
        probe.model_loaded(engine.model_name, engine.compute_type, engine.device)
    return engines


@asynccontextmanager
async def _log(settings: Settings, clock: Clock, probe: Probe) -> AsyncIterator[Log]:
    """Open the log and count its failures."""
    async with open_log(settings, clock) as log:
        yield ObservedLog(log, probe)


async def _stopped(stop: asyncio.Event, *work: asyncio.Task[None]) -> None:
    """Return when ``stop`` is set. Raises the error of a task of ``work`` that fails first."""
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({waiting, *work}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in work:
        if task.done():
            task.result()


async def _answer(
    settings: Settings,
    sock: socket.socket,
    log: Log,
    clock: Clock,
    probe: GatewayProbe,
    tracer: Tracer,
    stopped: Callable[[], Awaitable[object]],
    not_ready: NotReady,
    **described: object,
) -> None:
    """Serve clients until ``stopped`` returns, then drain the gateway within the deadline."""
    async with usage_of(settings, log, clock) as usage, glossaries_on_log(log) as glossaries:
        gateway = build_gateway(settings, log, clock, probe, tracer, usage=usage, glossaries=glossaries)
        watch = LogWatch(log, probe)
        app = create_app(gateway, build_login(settings, clock))

        def reasons() -> list[str]:
            return [*gateway.not_ready(), *watch.failures, *not_ready()]

        app.include_router(health(reasons))
        async with (
            _metrics(settings, app, gateway, probe, reasons),
            alongside(
                watch.run(),
                watch_loop(probe),
                sample(gateway.observe),
                gateway.clients.watch(),
                release_memory_periodically(),
            ),
            serving(
                MeasuredRequests(app, clock, probe),
                sock,
                settings.trusted_proxies,
                limits=connection_limits(settings),
                probe=probe,
            ),
        ):
            tune_garbage_collection()
            logger.info("serving", url=_url(sock), **described, vad=settings.vad)
            await stopped()
            logger.info("stopping", deadline=settings.drain_deadline)
            await gateway.drain(settings.drain_deadline - flush_time(settings), elsewhere=log.shared)
        await gateway.close()


@asynccontextmanager
async def _metrics(
    settings: Settings, app: FastAPI, gateway: Gateway, probe: GatewayProbe, not_ready: NotReady
) -> AsyncIterator[None]:
    """Serve the gateway's metrics where ``metrics_access`` says."""

    async def admit(request: Request) -> None:
        await check_operator(request, gateway)

    if settings.metrics_access != "port":
        if settings.metrics_access == "operate":
            app.include_router(metrics_endpoint(probe.render, admit), responses=refusals(Forbidden, *WITH_TOKEN))
        else:
            app.include_router(metrics_endpoint(probe.render))
        yield
        return
    sock = listen(settings.host, settings.metrics_port, "--metrics-port")
    async with serving(endpoints_alone(probe.render, not_ready), sock):
        logger.info("metrics", url=_url(sock) + "metrics")
        yield


def _url(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://{host}:{port}/"
