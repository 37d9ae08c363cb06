"""JSON bodies of requests, validated into typed values."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from captions.errors import BadRequest, TooLarge
from captions.explain import explain

LARGEST_BODY = 64 * 1024

Body = TypeVar("Body", bound=BaseModel)


async def json_body(request: Request, model: type[Body]) -> Body:
    """Read the body as ``model``. Raises ``BadRequest``, or ``TooLarge`` for more than ``LARGEST_BODY`` bytes."""
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > LARGEST_BODY:
                raise TooLarge(f"the body is larger than {LARGEST_BODY} bytes")
    except ClientDisconnect as error:
        raise BadRequest("the connection was closed before the body was complete") from error
    try:
        return model.model_validate_json(bytes(content))
    except ValidationError as error:
        raise BadRequest(explain(error)) from error
