"""JSON bodies of requests, validated into typed values."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from captions.errors import BadRequest, TooLarge
from captions.explain import explain

LARGEST_BODY = 64 * 1024

Body = TypeVar("Body", bound=BaseModel)


async def json_body(request: Request, model: type[Body], largest: int = LARGEST_BODY) -> Body:
    """Read the body as ``model``. Raises ``BadRequest``, or ``TooLarge`` for more than ``largest`` bytes."""
    content = await read_body(request, largest)
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise BadRequest(explain(error)) from error


async def text_body(request: Request, largest: int) -> str:
    """Read the body as text. Raises ``BadRequest``, or ``TooLarge`` for more than ``largest`` bytes."""
    try:
        return (await read_body(request, largest)).decode()
    except UnicodeDecodeError as error:
        raise BadRequest("the text has to be in UTF-8") from error


async def read_body(request: Request, largest: int) -> bytes:
    """Read the body. Raises ``BadRequest`` if it is not complete, or ``TooLarge`` for more than ``largest`` bytes."""
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > largest:
                raise TooLarge(f"the body is larger than {largest} bytes")
    except ClientDisconnect as error:
        raise BadRequest("the connection was closed before the body was complete") from error
    return bytes(content)
