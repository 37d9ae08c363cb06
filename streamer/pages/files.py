"""The files of the web pages, and their HTTP headers."""

from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

STATIC = Path(str(files(__package__) / "static"))

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; worker-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors "
)


def page_headers(request: Request, *, framed: bool = False, microphone: bool = False) -> dict[str, str]:
    """The headers of a page. ``framed``: other sites may show it in a frame. ``microphone``: it may ask for one."""
    return {
        "Content-Security-Policy": _POLICY + ("*" if framed else "'none'"),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "cross-origin" if framed else "same-origin",
        "Permissions-Policy": f"camera=(), geolocation=(), microphone=({'self' if microphone else ''})",
        # an address with a token leaves no copy of the page on the disk
        "Cache-Control": "no-store" if "token" in request.query_params else "no-cache",
    }


class Files(StaticFiles):
    """Static files that browsers revalidate on every request. This costs little while they are unchanged."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Respond with one file."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type] # handed through
        response.headers["Cache-Control"] = "no-cache"
        return response
