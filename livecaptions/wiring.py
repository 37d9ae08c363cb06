"""The objects of one process, built and connected."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol

import structlog

from captions.errors import SetupError
from captions.limits import Scope
from captions.ports.clock import Clock
from captions.ports.engine import Engine
from captions.ports.glossaries import Glossaries
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.ports.room_directory import NoRoomDirectory
from captions.ports.tracer import NO_TRACES, Tracer
from captions.ports.usage import UsageLedger
from captions.segmenter import SegmenterSettings
from captions.stability import AGREEMENTS
from inference.decoders import Decoder, Decoders, in_thread
from inference.engine import REFINING, WhisperEngine, WhisperSettings, load_engine
from inference.refine import Refiner
from inference.second_pass import RefineSettings, at_once
from inference.settings import WorkerSettings
from inference.spare_time import SpareTime
from inference.worker import Worker
from livecaptions.access import build_access, is_local_only
from livecaptions.rooms_file import RoomsFile
from livecaptions.server import ConnectionLimits
from livecaptions.settings.fields import Settings
from monitoring.audit import AuditLog
from streamer.gateway import Gateway
from streamer.settings import GatewaySettings
from streamer.vad import detector_factory

logger = structlog.get_logger(__name__)

RESTART_DELAY = 1.0
"""Seconds before a worker that failed is started again."""


def build_engines(settings: Settings) -> list[WhisperEngine]:
    """The speech engines, loaded: that of ``model``, then those of ``models``. Raises ``SetupError``."""
    engines = [_build_engine(settings, model) for model in (settings.model, *settings.models)]
    names = [engine.model_name for engine in engines]
    if len(set(names)) < len(names):
        raise SetupError(f"model and models name one model twice: {', '.join(names)}; remove one of the two")
    return engines


def build_refining_engines(settings: Settings, *, decoders: int) -> list[WhisperEngine]:
    """The engines of the second pass, loaded, for so many decodes at a time; 0 chooses as for live captions.

    That of ``refine_model``, or else those of live captions. Raises ``SetupError``.
    """
    models = [settings.refine_model] if settings.refine_model is not None else [settings.model, *settings.models]
    return [_load(settings, model, REFINING, decoders) for model in models]


def _build_engine(settings: Settings, model: str) -> WhisperEngine:
    whisper = WhisperSettings(beam_size=settings.beam_size, final_window=settings.final_window)
    return _load(settings, model, whisper, settings.decoders)


def _load(settings: Settings, model: str, whisper: WhisperSettings, decoders: int) -> WhisperEngine:
    return load_engine(
        model,
        device=settings.device,
        compute_type=settings.compute_type,
        threads=settings.threads,
        decoders=decoders,
        settings=whisper,
        progress=True,
    )


def build_gateway(
    settings: Settings,
    log: Log,
    clock: Clock,
    probe: Probe,
    tracer: Tracer = NO_TRACES,
    *,
    usage: UsageLedger | None = None,
    glossaries: Glossaries | None = None,
) -> Gateway:
    """The gateway. Raises ``SetupError`` where its speech detector is missing."""
    segmenter = SegmenterSettings(
        pre_roll=settings.pre_roll, endpoint=settings.endpoint, longest=settings.longest_utterance
    )
    gateway = GatewaySettings(
        segmenter=segmenter,
        language=settings.language,
        languages=settings.languages,
        resume_window=settings.resume_window,
        close_window=settings.close_window,
        stall_timeout=settings.stall_timeout,
        idle_timeout=settings.idle_timeout,
        max_sessions=settings.max_sessions,
        max_tracks=settings.max_tracks,
        max_viewers=settings.max_viewers,
        overload_after=settings.overload_after,
        max_unacknowledged=settings.max_unacknowledged,
        viewer_backlog=settings.viewer_backlog,
        history_bytes=settings.captions_bytes,
        key_limits=settings.allowance_of(Scope.KEY),
        tenant_limits=settings.allowance_of(Scope.TENANT),
        address_limits=settings.allowance_of(Scope.ADDRESS),
        audio_burst=settings.audio_burst,
        allowed_origins=settings.allowed_origins,
        public_url=None if settings.public_url is None else str(settings.public_url),
        local_only=is_local_only(settings),
    )
    access = build_access(settings, clock)
    return Gateway(
        log,
        clock,
        probe,
        detector_factory(settings.vad),
        gateway,
        tracer=tracer,
        authenticator=access.authenticator,
        signer=access.signer,
        audit=AuditLog(views=settings.audit_views),
        rooms=NoRoomDirectory()
        if settings.rooms_file is None
        else RoomsFile(settings.rooms_file, settings.captions_retention),
        usage=usage,
        glossaries=glossaries,
    )


def connection_limits(settings: Settings) -> ConnectionLimits:
    """The limits on connections."""
    return ConnectionLimits(
        total=settings.max_connections,
        per_address=settings.max_per_address,
        request_timeout=settings.request_timeout,
    )


def check_rooms(settings: Settings) -> None:
    """Read the rooms file, if one is set, before anything slow begins. Raises ``SetupError``."""
    if settings.rooms_file is not None:
        RoomsFile(settings.rooms_file, settings.captions_retention)


class Works(Protocol):
    """A member of a consumer group, which works until it is cancelled."""

    @property
    def joined(self) -> bool:
        """Whether it is a member now."""
        ...

    async def run(self) -> None:
        """Work. What it raises, except ``SetupError``, is a reason to start again."""
        ...


class Work(NamedTuple):
    """A worker at work. The task ends only where starting again would not help: it raises ``SetupError``."""

    worker: Works
    task: asyncio.Task[None]

    def not_ready(self) -> list[str]:
        """Why nothing can be decoded now."""
        return [] if self.worker.joined else ["the worker has not joined its group"]


@asynccontextmanager
async def working(
    settings: Settings,
    log: Log,
    engines: Sequence[Engine],
    clock: Clock,
    probe: Probe,
    *,
    tracer: Tracer = NO_TRACES,
    spare_time: SpareTime | None = None,
) -> AsyncIterator[Work]:
    """Run a worker that decodes in threads while the context lasts. A worker that fails is restarted, and replays.

    The first of ``engines`` is the default; rooms may choose the others by the names of their models.
    """
    batches = batches_of(engines)
    with ThreadPoolExecutor(batches, thread_name_prefix="decode") as executor:
        worker = Worker(
            log,
            _decoders(engines, executor),
            clock,
            probe,
            _worker_settings(settings, batches),
            tracer=tracer,
            spare_time=spare_time,
        )
        async with _at_work(worker) as work:
            yield work


@asynccontextmanager
async def refining(
    settings: Settings,
    log: Log,
    engines: Sequence[Engine],
    clock: Clock,
    probe: Probe,
    *,
    spare_time: SpareTime | None = None,
) -> AsyncIterator[Work]:
    """Do the second pass in threads while the context lasts, where ``spare_time`` is left."""
    batches = batches_of(engines)
    with ThreadPoolExecutor(batches, thread_name_prefix="refine") as executor:
        refiner = Refiner(
            log,
            _decoders(engines, executor),
            clock=clock,
            probe=probe,
            settings=_worker_settings(settings, batches),
            refine=RefineSettings(within=settings.refine_within, decoders=batches),
            spare_time=at_once if spare_time is None else spare_time.wait,
        )
        async with _at_work(refiner) as work:
            yield work


def batches_of(engines: Sequence[Engine]) -> int:
    """How many batches engines decode at the same time."""
    return max(engine.decoders for engine in engines)


def _decoders(engines: Sequence[Engine], executor: ThreadPoolExecutor) -> Decoders:
    return Decoders(*(Decoder(engine, in_thread(engine, executor)) for engine in engines))


def _worker_settings(settings: Settings, batches: int) -> WorkerSettings:
    return WorkerSettings(
        partial_interval=settings.partial_interval,
        agreement=AGREEMENTS[settings.stability],
        max_batch=settings.max_batch,
        decoders=batches,
        orphan_timeout=settings.orphan_timeout,
        most_buffered=settings.most_buffered,
        attempts=settings.attempts,
    )


@asynccontextmanager
async def _at_work(worker: Works) -> AsyncIterator[Work]:
    task = asyncio.create_task(_keep_working(worker), name=type(worker).__name__)
    try:
        yield Work(worker, task)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_working(worker: Works) -> None:
    while True:
        try:
            await worker.run()
        except* SetupError as errors:
            raise errors.exceptions[0] from None
        except* Exception:
            logger.exception("worker_failed", worker=type(worker).__name__)
        await asyncio.sleep(RESTART_DELAY)
