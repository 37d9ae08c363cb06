"""A page of another origin."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.responses import HTMLResponse

from livecaptions.server import listen, serving


@asynccontextmanager
async def page_elsewhere(html: str = "<!doctype html>") -> AsyncIterator[str]:
    """The page's address; its port, and so its origin, is its own."""
    app = FastAPI()
    app.get("/")(lambda: HTMLResponse(html))
    with listen("127.0.0.1", 0) as sock:
        async with serving(app, sock):
            yield f"http://127.0.0.1:{sock.getsockname()[1]}/"
