"""Query parameters of viewers and transcripts, validated into typed values. Unknown parameters are ignored."""

import re
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from starlette.datastructures import QueryParams

from captions.errors import BadRequest
from captions.explain import explain
from captions.messages import Name
from streamer.rooms.transcripts import Format

HIGHEST_SEQ = 2**63 - 1
"""Kafka's offsets are signed 64-bit integers."""

Query = TypeVar("Query", bound=BaseModel)

_HISTORY = {"anyOf": [{"enum": ["none", "all"]}, {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}]}


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

    after: int | None = Field(None, ge=0, le=HIGHEST_SEQ, description="The last `seq` that the client saw.")
    track: tuple[Name, ...] = Field((), description="Only these tracks. Empty means all.")
    partials: bool = Field(True, description="`false` sends finals only.")
    history: Annotated[int | None, BeforeValidator(_number_of_finals), WithJsonSchema(_HISTORY)] = Field(
        None, description="How many of the latest finals come first: `none`, a number, or `all`."
    )
    """None means all."""


class TranscriptQuery(BaseModel):
    """Which finals a transcript has: the ``last`` ones with a ``seq`` below ``before``. None means no limit."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Format = "json"
    before: int | None = Field(None, ge=0, le=HIGHEST_SEQ, description="Only finals with a `seq` below this.")
    last: int | None = Field(None, ge=1, description="Only so many finals: the last ones by `seq`.")


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
