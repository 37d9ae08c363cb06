"""Waiting for the brokers, with a line of progress and an end."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import structlog
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaError,
    UnsupportedSaslMechanismError,
    UnsupportedVersionError,
)

from captions.errors import SetupError
from transport.kafka.errors import reason
from transport.kafka.settings import KafkaSettings

logger = structlog.get_logger(__name__)

Client = TypeVar("Client", bound=Any)
PAUSE = 0.5
STOP_TIMEOUT = 1.0
FATAL = (AuthenticationFailedError, UnsupportedSaslMechanismError, UnsupportedVersionError)


@asynccontextmanager
async def connected(client: Client, settings: KafkaSettings) -> AsyncIterator[Client]:
    """The client, started, while the context lasts. Raises ``SetupError`` where no broker lets it in."""
    try:
        await start(client, settings)
        yield client
    finally:
        await stop(client)


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What aiokafka logs of brokers that it cannot connect to, which it does not raise."""
    said: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        said.append(record.getMessage())
        return False

    logger = logging.getLogger("aiokafka")
    logger.addFilter(keep)
    try:
        yield said
    finally:
        logger.removeFilter(keep)


async def start(client: Any, settings: KafkaSettings) -> None:  # noqa: ANN401 - any of aiokafka's clients
    """Start a client, waiting for its brokers."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + settings.start_timeout
    where = ", ".join(settings.bootstrap)
    told = False
    while True:
        try:
            with _complaints() as complaints:
                await client.start()
        except FATAL as error:
            raise SetupError(f"Kafka at {where} lets us not in: {reason(error)}; check the kafka_ settings") from error
        except KafkaError as error:
            why = complaints[-1] if complaints else reason(error)
            if "Authentication" in why:
                raise SetupError(f"Kafka at {where} lets us not in: {why}; check the kafka_ settings") from error
            if loop.time() >= deadline:
                raise SetupError(
                    f"no Kafka broker at {where} within {settings.start_timeout:.0f} s: {why}; "
                    "is it running, is the address right, does it ask for TLS or a password?"
                ) from error
            if not told:
                logger.info("waiting_for_kafka", brokers=where, deadline=settings.start_timeout)
                told = True
            await asyncio.sleep(PAUSE)
        else:
            return


async def stop(client: Any) -> None:  # noqa: ANN401 - any of aiokafka's clients
    """Stop a client.

    A consumer's fetcher swallows a cancellation that comes while it drops an assignment, and then waits for ever
    (aiokafka 0.14): it is cancelled once more.
    """
    close = getattr(client, "stop", None) or client.close
    async with asyncio.timeout(STOP_TIMEOUT):
        await close()
