"""The pages: static files, no build step, nothing from elsewhere.

Their addresses are relative: a proxy may have them under a path of its own, which it strips.
"""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as PathParameter
from starlette.responses import FileResponse, Response

from streamer.pages.files import SECURITY, STATIC, Files
from streamer.web.query import room_of

static_files = Files(directory=STATIC)
router = APIRouter(include_in_schema=False)


@router.get("/")
async def start_page() -> Response:
    """Speak into a room from this browser, or open a room to read."""
    return FileResponse(STATIC / "start.html", headers=SECURITY)


@router.get("/r/{room}")
async def room_page(room: Annotated[str, PathParameter()]) -> Response:
    """A room's captions, for people to read; the page reads its name from its address."""
    room_of(room)
    return FileResponse(STATIC / "room.html", headers=SECURITY)
