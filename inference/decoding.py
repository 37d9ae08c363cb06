"""Decoding with failures contained to the request that fails."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from captions.errors import EngineError
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.probe import Probe
from captions.withheld import name_of
from inference.decoders import Decoder

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failed:
    """A request that the engine failed on every time, and the engine's last error."""

    reason: str


async def decode_each(
    decoder: Decoder, requests: Sequence[DecodeRequest], probe: Probe, attempts: int
) -> list[Hypothesis | Failed]:
    """One result for each request, in their order: ``Failed`` where the decode failed ``attempts`` times, also alone.

    Every exception of the engine counts as a failure of its request: no audio may stop its partition.
    """
    try:
        return list(await decoder.decode(requests))
    except EngineError as error:
        reason = str(error)
    except Exception as error:
        reason = name_of(error)
        logger.exception("engine_raised")
    probe.decode_failed(decoder.model.name)
    logger.warning("decode_failed", model=decoder.model.name, batch=len(requests), error=reason)
    if len(requests) > 1:
        return [(await decode_each(decoder, [request], probe, attempts))[0] for request in requests]
    return await decode_each(decoder, requests, probe, attempts - 1) if attempts > 1 else [Failed(reason)]
