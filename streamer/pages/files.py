"""Where the pages' files are, and with which headers they go out."""

from importlib.resources import files
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

STATIC = Path(str(files(__package__) / "static"))

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


class Files(StaticFiles):
    """Files that browsers ask for anew each time, which costs little where they have not changed."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """The response of one file."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type] # handed through
        response.headers["Cache-Control"] = "no-cache"
        return response
