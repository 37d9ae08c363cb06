"""Starting and stopping aiokafka clients. A start waits for the brokers, up to a timeout."""

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
    """Run ``client`` while the context lasts. Raises ``SetupError`` if no broker accepts the connection."""
    try:
        await start(client, settings)
        yield client
    finally:
        await stop(client)


@contextmanager
def _captured_logs() -> Iterator[list[str]]:
    """Collect aiokafka's log messages. Some connection errors are only logged, not raised."""
    messages: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        messages.append(record.getMessage())
        return False

    logger = logging.getLogger("aiokafka")
    logger.addFilter(keep)
    try:
        yield messages
    finally:
        logger.removeFilter(keep)


async def start(client: Any, settings: KafkaSettings) -> None:  # noqa: ANN401 - any of aiokafka's clients
    """Start ``client``, waiting for the brokers up to ``start_timeout``. Raises ``SetupError``."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + settings.start_timeout
    where = ", ".join(settings.bootstrap)
    logged = False
    while True:
        try:
            with _captured_logs() as messages:
                await client.start()
        except FATAL as error:
            raise _rejected(where, reason(error)) from error
        except KafkaError as error:
            why = messages[-1] if messages else reason(error)
            if "Authentication" in why:
                raise _rejected(where, why) from error
            if loop.time() >= deadline:
                raise SetupError(
                    f"no Kafka broker answered at {where} within {settings.start_timeout:.0f} s: {why}; "
                    "check that it is running, that the address is right, and whether it requires TLS or a password"
                ) from error
            if not logged:
                logger.info("waiting_for_kafka", brokers=where, deadline=settings.start_timeout)
                logged = True
            await asyncio.sleep(PAUSE)
        else:
            return


def _rejected(where: str, why: str) -> SetupError:
    return SetupError(f"Kafka at {where} rejected the connection: {why}; check the kafka_ settings")


async def stop(client: Any) -> None:  # noqa: ANN401 - any of aiokafka's clients
    """Stop ``client``.

    The timeout works around a bug in aiokafka 0.14: a consumer's fetcher that is cancelled while it drops an assignment
    swallows the cancellation and waits without end. The timeout cancels it a second time.
    """
    close = getattr(client, "stop", None) or client.close
    async with asyncio.timeout(STOP_TIMEOUT):
        await close()
