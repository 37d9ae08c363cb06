"""What the claims of a JSON Web Token say of its bearer."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from captions.access import Principal, Right
from captions.errors import Unauthorized
from captions.explain import explain
from captions.messages import Name


def _words(value: object) -> object:
    """A list as it is; text is split at spaces and commas, as OAuth's ``scope`` is."""
    return re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else value


class _Claims(BaseModel):
    model_config = ConfigDict(extra="ignore")

    sub: str = Field("", max_length=200)
    tenant: Name | None = None
    rooms: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()
    rights: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()
    exp: float


def principal_of(claims: Mapping[str, Any]) -> Principal:
    """The principal that ``sub``, ``tenant``, ``rooms``, ``rights`` and ``exp`` describe.

    Rights that are not ours are ignored. Raises ``Unauthorized`` if a claim is not valid.
    """
    try:
        read = _Claims.model_validate(claims)
    except ValidationError as error:
        raise Unauthorized(f"this token's claims are not valid: {explain(error)}") from error
    known = set(Right)
    return Principal(
        rooms=read.rooms,
        rights=frozenset(Right(right) for right in read.rights if right in known),
        tenant=read.tenant,
        subject=f"jwt:{read.sub}",
        expires_at=read.exp,
    )
