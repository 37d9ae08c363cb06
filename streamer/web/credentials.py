"""The access token of a request."""

from starlette.requests import HTTPConnection


def token_of(connection: HTTPConnection) -> str | None:
    """The token in the ``Authorization`` header or, without one, in the query parameter ``token``; None if missing."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else connection.query_params.get("token", "")
    return token or None
