"""Query parameters of the sockets, validated into typed values. Unknown parameters are ignored."""

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator
from starlette.datastructures import QueryParams

from captions.errors import BadRequest
from captions.explain import NAME_PATTERN, NAMES, explain
from captions.messages import Name
from captions.session import LANGUAGE_PATTERN, SessionSettings
from streamer.audio.decoder import AudioFormat, Encoding

NO_CONTROL_CHARACTERS = r"^\P{Cc}*$"

HIGHEST_SEQ = 2**63 - 1
"""Kafka's offsets are signed and of 64 bits."""

Query = TypeVar("Query", bound=BaseModel)
Term = Annotated[str, Field(min_length=1, max_length=50)]


class PublishQuery(BaseModel):
    """What a publisher says of its stream."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    track: Name = "main"
    speaker: str | None = Field(None, max_length=80, pattern=NO_CONTROL_CHARACTERS)
    encoding: Encoding = Encoding.LINEAR16
    sample_rate: int = Field(16_000, ge=8_000, le=48_000)
    channels: int = Field(1, ge=1, le=8)
    language: str | None = Field(None, pattern=LANGUAGE_PATTERN)
    vocabulary: tuple[Term, ...] = Field((), max_length=100)
    session: str | None = None
    takeover: bool = False

    @field_validator("speaker")
    @classmethod
    def _empty_is_none(cls, speaker: str | None) -> str | None:
        return speaker or None

    @model_validator(mode="before")
    @classmethod
    def _container_describes_itself(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("encoding") != Encoding.CONTAINER:
            return values
        return {name: value for name, value in values.items() if name not in {"sample_rate", "channels"}}

    @property
    def format(self) -> AudioFormat:
        """The audio format."""
        return AudioFormat(self.encoding, self.sample_rate, self.channels)


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


def room_name(name: str) -> str:
    """The name, if it is one. Raises ``BadRequest``."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise BadRequest(f"room: a name has to be {NAMES}")
    return name


def publish_query(params: QueryParams) -> PublishQuery:
    """A publisher's parameters. Raises ``BadRequest`` naming the one that is wrong."""
    return _parsed(PublishQuery, params, "vocabulary")


def as_it_began(settings: SessionSettings, query: PublishQuery) -> PublishQuery:
    """The query in the session's own format, which it need not repeat: offsets count bytes of it.

    Raises ``BadRequest`` where it names another.
    """
    if settings.audio is None:
        return query
    encoding, sample_rate, channels = settings.audio.split("/")
    own = {"encoding": Encoding(encoding), "sample_rate": int(sample_rate), "channels": int(channels)}
    if not query.model_fields_set & own.keys():
        return query.model_copy(update=own)
    if str(query.format) != settings.audio:
        raise BadRequest(
            f"encoding, sample_rate, channels: session {settings.session} is {settings.audio}, not {query.format}; "
            "resume it as it began, or begin a new one"
        )
    return query


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
