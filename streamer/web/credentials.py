"""The token that a request carries."""

from starlette.requests import HTTPConnection


def token_of(connection: HTTPConnection) -> str | None:
    """The token in the ``Authorization`` header, or in the query parameter ``token``; None where there is none."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else connection.query_params.get("token", "")
    return token or None
