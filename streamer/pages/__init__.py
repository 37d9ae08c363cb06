"""The pages: static files, no build step, nothing from elsewhere."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as PathParameter
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

STATIC = Path(str(files(__name__) / "static"))

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; worker-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
"""No frame-ancestors: a room's captions may be embedded."""


class _Files(StaticFiles):
    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type] # handed through
        response.headers["Cache-Control"] = "no-cache"
        return response


static_files = _Files(directory=STATIC)
router = APIRouter(include_in_schema=False)


@router.get("/")
async def start_page() -> Response:
    """Speak into a room from this browser, or open a room to read."""
    return FileResponse(STATIC / "start.html", headers=SECURITY)


@router.get("/r/{room}")
async def room_page(room: Annotated[str, PathParameter()]) -> Response:  # noqa: ARG001 - the page reads it from its address
    """A room's captions, for people to read."""
    return FileResponse(STATIC / "room.html", headers=SECURITY)
