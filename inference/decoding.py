"""Decoding off the event loop, with failures contained to the request that fails."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from captions.errors import EngineError
from captions.ports.engine import DecodeRequest, Engine, Hypothesis
from captions.ports.probe import Probe

logger = structlog.get_logger(__name__)

Decode = Callable[[Sequence[DecodeRequest]], Awaitable[list[Hypothesis]]]


def in_thread(engine: Engine, executor: ThreadPoolExecutor) -> Decode:
    """The engine's decode, run in the executor: the event loop goes on meanwhile."""

    async def decode(requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        return await asyncio.get_running_loop().run_in_executor(executor, engine.decode, requests)

    return decode


async def decode_each(
    decode: Decode, requests: Sequence[DecodeRequest], probe: Probe, attempts: int
) -> list[Hypothesis | None]:
    """One hypothesis for each request; None for one that failed ``attempts`` times, also alone."""
    try:
        return list(await decode(requests))
    except EngineError as error:
        probe.decode_failed()
        logger.warning("decode_failed", batch=len(requests), error=str(error))
    if len(requests) > 1:
        return [(await decode_each(decode, [request], probe, attempts))[0] for request in requests]
    return await decode_each(decode, requests, probe, attempts - 1) if attempts > 1 else [None]
