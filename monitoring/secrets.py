"""Tokens and passwords are removed from log lines, whoever wrote them."""

import re

import structlog

_SECRET = re.compile(
    r"(?P<query>[?&](?:token|code|state|access_token|id_token|client_secret)=)[^&#\s\"'<>\\\x1b]+"
    r"|(?P<bearer>\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]+"
    r"|(?P<own>\blc[kt]_)[A-Za-z0-9._~-]+"
    r"|(?P<login>://)[^/@\s\"'\\\x1b]+(?=@)"
    r"|(?P<cookie>\blivecaptions_\w+=)[^;\s\"'\\\x1b]+",
    re.IGNORECASE,
)


def without_secrets(_: object, __: str, line: structlog.typing.ProcessorReturnValue) -> str:
    """The rendered line without tokens."""
    return scrubbed(str(line))


def scrubbed(text: str) -> str:
    """The text without tokens, and without the logins of addresses such as https://user:password@id.example."""
    return _SECRET.sub(lambda found: f"{found[found.lastgroup or 0]}REMOVED", text)
