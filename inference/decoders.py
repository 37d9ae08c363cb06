"""The engines that a worker decodes with, by the names of their models."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from captions.ports.engine import DecodeRequest, Engine, Hypothesis

logger = structlog.get_logger(__name__)

Decode = Callable[[Sequence[DecodeRequest]], Awaitable[list[Hypothesis]]]
"""``Engine.decode``, off the event loop. Raises what that raises."""

MOST_WARNINGS = 100
"""Unknown names that are warned of and remembered: publishers may ask for any."""


def in_thread(engine: Engine, executor: ThreadPoolExecutor) -> Decode:
    """The engine's decode, run in the executor: the event loop goes on meanwhile."""

    async def decode(requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        return await asyncio.get_running_loop().run_in_executor(executor, engine.decode, requests)

    return decode


class Model(NamedTuple):
    """What an utterance was decoded with: the model's name, and the revision of its weights."""

    name: str
    revision: str

    def __str__(self) -> str:
        return f"{self.name}@{self.revision}"


@dataclass(frozen=True, slots=True)
class Decoder:
    """One engine, and how its decodes run."""

    engine: Engine
    decode: Decode

    @property
    def model(self) -> Model:
        """The engine's model."""
        return Model(self.engine.model_name, self.engine.revision)


class Decoders:
    """Decoders by the names of their models. ``default`` decodes what asks for no model, or for an unknown one."""

    def __init__(self, default: Decoder, *others: Decoder) -> None:
        self._default = default
        self._by_name = {decoder.model.name: decoder for decoder in (*others, default)}
        self._warned: set[str] = set()

    def named(self, model: str | None) -> Decoder:
        """The decoder of a model's name; the default for None, and, with one warning per name, for an unknown name."""
        if model is None:
            return self._default
        if (decoder := self._by_name.get(model)) is not None:
            return decoder
        if model not in self._warned and len(self._warned) < MOST_WARNINGS:
            self._warned.add(model)
            logger.warning("model_unknown", model=model, decoding_with=self._default.model.name)
        return self._default

    def batch_key(self, model: str | None, samples: int, *, final: bool) -> Hashable:
        """The key of windows of so many samples. Windows that share a key use one model, and decode well as one batch.

        ``model`` is the name in the utterance's settings.
        """
        decoder = self.named(model)
        return decoder.model.name, decoder.engine.batch_key(samples, final=final)
