"""What people see who open an address that does not work."""

from collections.abc import Mapping
from html import escape
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse

from captions.explain import NAMES
from streamer.pages.files import SECURITY, STATIC

_PAGE = Template((STATIC / "problem.html").read_text(encoding="utf-8"))
_TITLES = {
    400: "This address cannot be right",
    401: "A token is missing",
    403: "This token does not let you in",
    404: "There is nothing here",
}
_KEPT = ("retry-after", "www-authenticate", "allow")


def wants_page(request: Request) -> bool:
    """Whether a browser shows the answer to a person: programs ask for JSON, or for anything."""
    return "text/html" in request.headers.get("accept", "")


def problem_page(request: Request, status: int, message: str, headers: Mapping[str, str]) -> HTMLResponse:
    """A page that says what is wrong and where to go; its links work behind a proxy that strips a path.

    Of ``headers`` those are kept that say when to come back, and how.
    """
    raw_path = request.scope.get("raw_path") or request.url.path.encode()  # where an escaped slash is none
    page = _PAGE.substitute(
        root="../" * (raw_path.count(b"/") - 1) or "./",
        title=_TITLES.get(status, "That did not work"),
        message=escape(message[:1].upper() + message[1:].rstrip(".") + "."),
        names=escape(NAMES),
    )
    kept = {name: value for name, value in headers.items() if name.lower() in _KEPT}
    return HTMLResponse(page, status_code=status, headers={**SECURITY, **kept})
