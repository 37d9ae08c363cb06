"""The files of the web pages, and their HTTP headers."""

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
"""There is no ``frame-ancestors``, so that other sites may embed a room's captions."""


class Files(StaticFiles):
    """Static files that browsers revalidate on every request. This costs little while they are unchanged."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Respond with one file."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type] # handed through
        response.headers["Cache-Control"] = "no-cache"
        return response
