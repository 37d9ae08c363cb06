"""Query parameters of viewers and transcripts, validated into typed values. Unknown parameters are ignored."""

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.datastructures import QueryParams

from captions.errors import BadRequest
from captions.explain import explain
from captions.messages import Name

HIGHEST_SEQ = 2**63 - 1
"""Kafka's offsets are signed 64-bit integers."""

Query = TypeVar("Query", bound=BaseModel)


def _number_of_finals(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value in {"none", "all"}:
        return 0 if value == "none" else None
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise ValueError("has to be none, all or a number of finals")
    return int(value)


class ViewQuery(BaseModel):
    """What a viewer subscribes to."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    after: int | None = Field(None, ge=0, le=HIGHEST_SEQ)
    track: tuple[Name, ...] = ()
    partials: bool = True
    history: Annotated[int | None, BeforeValidator(_number_of_finals)] = None
    """How many of the latest finals the viewer receives first. None means all."""


class TranscriptQuery(BaseModel):
    """Which finals a transcript has: the ``last`` ones with a ``seq`` below ``before``. None means no limit."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["json", "txt", "srt", "vtt"] = "json"
    before: int | None = Field(None, ge=0, le=HIGHEST_SEQ)
    last: int | None = Field(None, ge=1)


def view_query(params: QueryParams, last_event_id: str | None = None) -> ViewQuery:
    """Parse a viewer's parameters. ``last_event_id`` overrides ``after``.

    Raises ``BadRequest``, whose message names the parameter that is not valid.
    """
    query = _parsed(ViewQuery, params, "track")
    if not last_event_id:
        return query
    if not re.fullmatch(r"[0-9]{1,18}", last_event_id):
        raise BadRequest("Last-Event-ID: send the id of the last event that you received")
    return query.model_copy(update={"after": int(last_event_id)})


def transcript_query(params: QueryParams) -> TranscriptQuery:
    """Parse a transcript's parameters. Raises ``BadRequest``, whose message names the one that is not valid."""
    return _parsed(TranscriptQuery, params)


def _parsed(model: type[Query], params: QueryParams, repeatable: str | None = None) -> Query:
    values: dict[str, Any] = {name: value for name, value in params.items() if name != repeatable}
    if repeatable is not None and repeatable in params:
        values[repeatable] = params.getlist(repeatable)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise BadRequest(explain(error)) from error
