"""Query parameters of the sockets, validated into typed values. Unknown parameters are ignored."""

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.datastructures import QueryParams

from captions.errors import BadRequest
from captions.explain import NAME_PATTERN, NAMES, explain
from captions.messages import Name
from captions.track import RoomId

HIGHEST_SEQ = 2**63 - 1
"""Kafka's offsets are signed and of 64 bits."""

Query = TypeVar("Query", bound=BaseModel)


def _number_of_finals(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value in {"none", "all"}:
        return 0 if value == "none" else None
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise ValueError("say none, how many of the latest finals, or all")
    return int(value)


class ViewQuery(BaseModel):
    """What a viewer wants to see."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    after: int | None = Field(None, ge=0, le=HIGHEST_SEQ)
    track: tuple[Name, ...] = ()
    partials: bool = True
    history: Annotated[int | None, BeforeValidator(_number_of_finals)] = None
    """How many of the latest finals come first, None: all."""


class TranscriptQuery(BaseModel):
    """Which finals: of those with a ``seq`` less than ``before`` the ``last``; None: no limit."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["json", "txt", "srt", "vtt"] = "json"
    before: int | None = Field(None, ge=0, le=HIGHEST_SEQ)
    last: int | None = Field(None, ge=1)


def room_of(name: str) -> RoomId:
    """The room of this name. Raises ``BadRequest`` where it is no name."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise BadRequest(f"room: a name has to be {NAMES}")
    return RoomId(name)


def view_query(params: QueryParams, last_event_id: str | None = None) -> ViewQuery:
    """A viewer's parameters; ``Last-Event-ID`` beats ``after``. Raises ``BadRequest`` naming the one that is wrong."""
    query = _parsed(ViewQuery, params, "track")
    if not last_event_id:
        return query
    if not re.fullmatch(r"[0-9]{1,18}", last_event_id):
        raise BadRequest("Last-Event-ID: send the id of the last event you saw")
    return query.model_copy(update={"after": int(last_event_id)})


def transcript_query(params: QueryParams) -> TranscriptQuery:
    """Which finals are asked for. Raises ``BadRequest`` naming the parameter that is wrong."""
    return _parsed(TranscriptQuery, params)


def _parsed(model: type[Query], params: QueryParams, repeatable: str | None = None) -> Query:
    values: dict[str, Any] = {name: value for name, value in params.items() if name != repeatable}
    if repeatable is not None and repeatable in params:
        values[repeatable] = params.getlist(repeatable)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise BadRequest(explain(error)) from error
