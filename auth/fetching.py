"""HTTP requests to issuers and identity providers, bounded in time and size: they are not ours to trust."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import httpx

TIMEOUT = 5.0
"""Seconds for a whole request."""

MOST_BYTES = 1024 * 1024


class TooMuchError(httpx.HTTPError):
    """The answer has more than ``MOST_BYTES`` bytes."""


async def fetch(client: httpx.AsyncClient | None, method: str, url: str, **request: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
    """Send a request and read the whole answer. None: with a client of its own.

    Raises ``httpx.HTTPError``, ``httpx.InvalidURL`` or ``TimeoutError``.
    """
    content = bytearray()
    async with asyncio.timeout(TIMEOUT), AsyncExitStack() as stack:
        if client is None:
            client = await stack.enter_async_context(httpx.AsyncClient())
        response = await stack.enter_async_context(client.stream(method, url, **request))
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > MOST_BYTES:
                raise TooMuchError(f"the answer has more than {MOST_BYTES} bytes")
    return httpx.Response(response.status_code, content=bytes(content), request=response.request)
