"""A response that many clients may download at the same time."""

import asyncio
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PART = 64 * 1024
"""Bytes sent before the client's connection is waited for. A client that does not read costs no more memory."""


class Download(Response):
    """Content that all its clients share. It ends if a client takes nothing for ``send_timeout`` seconds."""

    def __init__(self, content: bytes, media_type: str, send_timeout: float) -> None:
        super().__init__(content, media_type=media_type)
        self._content = content
        self._send_timeout = send_timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        """Send the content part by part."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with suppress(TimeoutError):  # the server closes a connection whose answer is not complete
            for at in range(0, len(self._content) or 1, PART):
                part = self._content[at : at + PART]
                async with asyncio.timeout(self._send_timeout):
                    more = at + PART < len(self._content)
                    await send({"type": "http.response.body", "body": part, "more_body": more})
