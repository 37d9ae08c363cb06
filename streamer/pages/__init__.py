"""The web pages: static files without a build step or external resources.

They use relative addresses, so they also work behind a proxy that strips a path prefix.
"""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as PathParameter
from starlette.responses import FileResponse, Response

from captions.explain import check_name
from streamer.pages.files import SECURITY, STATIC, Files

static_files = Files(directory=STATIC)
router = APIRouter(include_in_schema=False)


@router.get("/")
async def start_page() -> Response:
    """The start page: speak into a room from the browser, or open a room to read its captions."""
    return FileResponse(STATIC / "start.html", headers=SECURITY)


@router.get("/r/{room}")
async def room_page(room: Annotated[str, PathParameter()]) -> Response:
    """A room's page with its captions. The page takes the room's name from its own address."""
    check_name("room", room)
    return FileResponse(STATIC / "room.html", headers=SECURITY)
