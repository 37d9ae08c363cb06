"""The web pages: static files without a build step or external resources.

They use relative addresses, so they also work behind a proxy that strips a path prefix.
"""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as PathParameter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from captions.explain import check_name
from streamer.pages.files import STATIC, Files, page_headers

static_files = Files(directory=STATIC)
router = APIRouter(include_in_schema=False)


@router.get("/")
async def start_page(request: Request) -> Response:
    """The start page: speak into a room from the browser, or open a room to read its captions."""
    return FileResponse(STATIC / "start.html", headers=page_headers(request, microphone=True))


@router.get("/r/{room}")
async def room_page(request: Request, room: Annotated[str, PathParameter()]) -> Response:
    """A room's page with its captions. The page takes the room's name from its own address.

    As an overlay, with the parameter ``mode=subtitles``, it may be framed by other sites.
    """
    check_name("room", room)
    overlay = request.query_params.get("mode") == "subtitles"
    return FileResponse(STATIC / "room.html", headers=page_headers(request, framed=overlay))
