"""The error page for people who open an address that does not work."""

from collections.abc import Mapping
from html import escape
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse

from captions.explain import NAMES
from streamer.pages.files import STATIC, page_headers

_PAGE = Template((STATIC / "problem.html").read_text(encoding="utf-8"))
_TITLES: dict[int | str, str] = {
    400: "This address cannot be right",
    401: "A token is missing",
    403: "You are not let in here",
    404: "There is nothing here",
    "login_failed": "You are not logged in",
    "login_unavailable": "Nobody can log in now",
}
_KEPT = ("retry-after", "www-authenticate", "allow")


def wants_page(request: Request) -> bool:
    """Whether the client is a browser that shows the response to a person. Other clients do not ask for HTML."""
    return "text/html" in request.headers.get("accept", "")


def problem_page(
    request: Request, status: int, message: str, headers: Mapping[str, str], code: str = ""
) -> HTMLResponse:
    """A page that says what is wrong and links to other pages. The links work behind a proxy that strips a prefix.

    ``code`` is that of the refusal, if it is one. The page keeps the ``headers`` that tell when and how to try again.
    """
    raw_path = request.scope.get("raw_path") or request.url.path.encode()  # raw: an escaped slash does not count
    page = _PAGE.substitute(
        root="../" * (raw_path.count(b"/") - 1) or "./",
        title=_TITLES.get(code) or _TITLES.get(status, "That did not work"),
        message=escape(message[:1].upper() + message[1:].rstrip(".") + "."),
        names=escape(NAMES),
    )
    kept = {name: value for name, value in headers.items() if name.lower() in _KEPT}
    return HTMLResponse(page, status_code=status, headers={**page_headers(request), **kept})
