"""Decoding off the event loop, with failures contained to the request that fails."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from captions.errors import EngineError
from captions.ports.engine import DecodeRequest, Engine, Hypothesis
from captions.ports.probe import Probe

logger = structlog.get_logger(__name__)

Decode = Callable[[Sequence[DecodeRequest]], Awaitable[list[Hypothesis]]]


@dataclass(frozen=True, slots=True)
class Failed:
    """A request that the engine failed on every time, and what it said the last time."""

    reason: str


def in_thread(engine: Engine, executor: ThreadPoolExecutor) -> Decode:
    """The engine's decode, run in the executor: the event loop goes on meanwhile."""

    async def decode(requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        return await asyncio.get_running_loop().run_in_executor(executor, engine.decode, requests)

    return decode


async def decode_each(
    decode: Decode, requests: Sequence[DecodeRequest], probe: Probe, attempts: int
) -> list[Hypothesis | Failed]:
    """One hypothesis for each request, or that it failed ``attempts`` times, also alone.

    Whatever the engine raises is one request's failure: no audio may stop the partition that it came on.
    """
    try:
        return list(await decode(requests))
    except EngineError as error:
        reason = str(error)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        logger.exception("engine_raised")
    probe.decode_failed()
    logger.warning("decode_failed", batch=len(requests), error=reason)
    if len(requests) > 1:
        return [(await decode_each(decode, [request], probe, attempts))[0] for request in requests]
    return await decode_each(decode, requests, probe, attempts - 1) if attempts > 1 else [Failed(reason)]
