"""Waiting for the brokers, with a line of progress and an end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaConnectionError,
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
FATAL = (AuthenticationFailedError, UnsupportedSaslMechanismError, UnsupportedVersionError)


@asynccontextmanager
async def connected(client: Client, settings: KafkaSettings) -> AsyncIterator[Client]:
    """The client, started, while the context lasts. Raises ``SetupError`` where no broker lets it in."""
    try:
        await start(client, settings)
        yield client
    finally:
        await _stop(client)


async def start(client: Any, settings: KafkaSettings) -> None:  # noqa: ANN401 - any of aiokafka's clients
    """Start a client, waiting for its brokers."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + settings.start_timeout
    where = ", ".join(settings.bootstrap)
    told = False
    while True:
        try:
            await client.start()
        except FATAL as error:
            raise SetupError(f"Kafka at {where} lets us not in: {reason(error)}; check the kafka_ settings") from error
        except (KafkaConnectionError, KafkaError) as error:
            if loop.time() >= deadline:
                raise SetupError(
                    f"no Kafka broker at {where} within {settings.start_timeout:.0f} s: {reason(error)}; "
                    "is it running, is the address right, does it ask for TLS or a password?"
                ) from error
            if not told:
                logger.info("waiting_for_kafka", brokers=where, deadline=settings.start_timeout)
                told = True
            await asyncio.sleep(PAUSE)
        else:
            return


async def _stop(client: Any) -> None:  # noqa: ANN401 - any of aiokafka's clients
    close = getattr(client, "stop", None) or client.close
    await close()
