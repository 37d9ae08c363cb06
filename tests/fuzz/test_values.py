"""Every parser of text and headers, with input that is almost right: a typed value or the error that it promises."""

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from starlette.datastructures import QueryParams
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from auth.authenticator import TokenAuthenticator
from auth.jwt_tokens import JwtSettings, JwtTokens
from auth.room_tokens import PREFIX, RoomTokens
from captions.access import Right
from captions.audio import to_seconds
from captions.errors import BadRequest, RecordError, SetupError, Unauthorized
from captions.messages import CaptionMessage, Deleted, TrackMessage
from captions.ports.log import Record
from captions.records import EPOCH, GATEWAY, STABLE, AudioSegment, origin_of, read_audio, read_room_event, stable_words
from captions.session import SessionSettings
from captions.terms import Term, tidied
from livecaptions.rooms_file import RoomsFile
from livecaptions.settings.fields import Settings
from livecaptions.settings.load import load
from livecaptions_client.connection import refusal_of
from livecaptions_client.errors import UnreachableError
from livecaptions_client.events import Event, Unknown
from livecaptions_client.reading import READERS, read_event
from streamer.web.query import HIGHEST_SEQ, transcript_query, view_query
from tests.auth.clock import SetClock
from tests.captions.messages import BEGAN, caption
from tests.fuzz.effort import effort
from tests.fuzz.mutations import Mutation, mutated, mutations

pytestmark = pytest.mark.fuzz

DEEP = "[" * 100_000
DIGITS = "9" * 5000
"""More than Python converts to an integer."""
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def changed(valid: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """``valid`` with some values replaced, and some missing."""
    replaced = st.dictionaries(st.sampled_from(sorted(valid)), JSON, max_size=3)
    missing = st.sets(st.sampled_from(sorted(valid)), max_size=1)
    return st.builds(lambda new, gone: {k: v for k, v in {**valid, **new}.items() if k not in gone}, replaced, missing)


# records of the log

SESSION = {
    "session": "s", "origin": 1.5, "language": "en", "speaker": "Ada", "vocabulary": ["a"],
    "terms": [{"text": "a", "sounds_like": ["b"]}], "model": "tiny.en",
    "audio": "linear16/16000/1", "endpointing": 0.5,
}  # fmt: skip


def session(**changes: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps({**SESSION, **changes}).encode()


NUMBERS = st.one_of(
    st.integers(-3, 2**70).map(lambda number: str(number).encode()),
    st.sampled_from([b"", b"1_0", b" 5", b"+5", b"\xd9\xa5", b"1e3", DIGITS.encode(), b"\xff"]),
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("utterance", "segment", "start", "offset", "end", "mark", "supersedes", EPOCH), NUMBERS),
        "settings": changed(SESSION).map(lambda fields: json.dumps(fields).encode()) | st.just(DEEP.encode()),
        **{name: st.just(b"1") for name in ("last", "paused", "over", "claim")},
        STABLE: JSON.map(lambda value: json.dumps(value).encode()) | st.just(DEEP.encode()) | st.binary(max_size=9),
        GATEWAY: st.binary(max_size=9),
    },
)
FIRST = {"utterance": b"0", "segment": b"0", "start": b"0", "offset": b"0"}


@effort(150)
@given(headers=HEADERS, value=st.binary(max_size=9), key=st.sampled_from(["hall/main", "a/b/c", "", "/", "a//b"]))
@example(headers={**FIRST, "settings": DEEP.encode()}, value=b"", key="hall/main")
@example(headers={**FIRST, "settings": b'{"session":"s","origin":"now","language":"en"}'}, value=b"", key="hall/main")
@example(headers={"settings": session(origin=1e300)}, value=b"", key="hall/main")
@example(headers={"settings": session(origin=1e11), "start": b"%d" % 2**50}, value=b"", key="hall/main")
@example(headers={"settings": session(), "start": b"%d" % 10**25}, value=b"", key="hall/main")
@example(headers={"settings": session(), "start": b"%d" % 2**62}, value=b"", key="hall/main")
@example(headers={"settings": session(), "end": b"%d" % 2**70}, value=b"", key="hall/main")
@example(headers={"settings": session(vocabulary=["a\nb", "\x00"])}, value=b"", key="hall/main")
@example(headers={"settings": session(terms=[{"text": "a", "new": 1}])}, value=b"", key="hall/main")
def test_a_record_of_audio_is_of_its_types_or_an_error(headers: dict[str, bytes], value: bytes, key: str) -> None:
    try:
        record = read_audio(Record(key, value, {**FIRST, **headers}))
    except RecordError:
        return
    if record.settings is not None:
        assert_typed(record.settings)
    numbers = [record.utterance, record.offset]
    numbers += [record.start, record.number] if isinstance(record, AudioSegment) else [record.position]
    assert min(numbers) >= 0
    assert max(numbers) < 2**63
    if isinstance(record, AudioSegment) and record.settings is not None:
        began = datetime.fromtimestamp(record.settings.origin, UTC) + timedelta(seconds=to_seconds(record.start))
        assert began.year <= 9999


def assert_typed(settings: SessionSettings) -> None:
    assert isinstance(settings.session, str)
    assert isinstance(settings.language, str)
    assert isinstance(settings.origin, float)
    assert 0 <= settings.origin <= 1e11
    assert all(isinstance(term, Term) for term in settings.vocabulary)
    assert settings.vocabulary == tidied(settings.vocabulary)
    assert all(isinstance(text, str | None) for text in (settings.speaker, settings.model, settings.audio))
    assert settings.endpointing is None or math.isfinite(settings.endpointing)


@effort(100)
@given(headers=HEADERS)
@example(headers={EPOCH: DIGITS.encode()})
@example(headers={STABLE: DEEP.encode()})
def test_headers_of_captions_are_read_or_an_error(headers: dict[str, bytes]) -> None:
    record = Record("hall", b"", headers)
    origin = origin_of(record)
    assert isinstance(origin.epoch, int | None)
    try:
        words = stable_words(record)
    except RecordError:
        return
    assert all(isinstance(word, str) for word in words)


EVENTS = [
    caption(final=True).encode(),
    TrackMessage(room="hall", track="main", state="live").encode(),
    Deleted(room="hall", deleted_at=BEGAN).encode(),
]
CAPTION = json.loads(EVENTS[0])


@effort(150)
@given(
    data=changed(CAPTION).map(json.dumps) | st.sampled_from([*EVENTS, DEEP]),
    changes=st.just([]) | mutations(st.binary(max_size=9)),
)
def test_a_room_event_is_a_caption_a_track_state_or_an_error(data: str, changes: list[Mutation]) -> None:
    try:
        event = read_room_event(Record("hall", mutated(data.encode(), changes), {}))
    except RecordError:
        return
    assert isinstance(event, CaptionMessage | TrackMessage | Deleted)
    assert json.loads(event.encode())["type"] == event.type


# what clients ask

VALUES = st.one_of(
    st.text(max_size=12),
    st.integers(-2, 2**65).map(str),
    st.sampled_from(
        [
            "none",
            "all",
            "true",
            "false",
            "json",
            "vtt",
            "1_0",
            "\N{ARABIC-INDIC DIGIT FIVE}",
            " 5",
            "5.0",
            "1e3",
            "NaN",
            DIGITS,
            "a" * 65,
        ]
    ),
)
QUERIES = st.lists(
    st.tuples(
        st.sampled_from(["after", "track", "partials", "history", "format", "before", "last", "token", "tenant", "x"]),
        VALUES,
    ),
    max_size=5,
)


@effort(150)
@given(given_query=QUERIES, last_event_id=st.none() | VALUES)
def test_a_viewers_query_is_within_its_limits_or_refused(
    given_query: list[tuple[str, str]], last_event_id: str | None
) -> None:
    query = QueryParams(urlencode(given_query))
    try:
        view = view_query(query, last_event_id)
    except BadRequest as refusal:
        assert "[type=" not in refusal.message, "pydantic's own words"  # noqa: PT017 - either way is right
    else:
        assert view.after is None or 0 <= view.after <= HIGHEST_SEQ
        assert view.history is None or view.history >= 0
        assert all(len(track) <= 64 for track in view.track)
    try:
        transcript = transcript_query(query)
    except BadRequest as refusal:
        assert "[type=" not in refusal.message  # noqa: PT017 - either way is right
    else:
        assert transcript.last is None or transcript.last >= 1


CLOCK = SetClock()
SECRET = "secret" * 8
SIGNER = RoomTokens(lambda: SECRET, CLOCK)
PUBLIC = ECKey.generate_key("P-256", private=False)
CLAIMS = {"sub": "7", "rooms": ["main"], "rights": ["view"], "exp": int(CLOCK.wall()) + 600, "tenant": "acme", "nbf": 0}
HEADER = {"alg": "HS256", "typ": "JWT", "kid": "1", "crit": ["exp"], "b64": False}


def part(value: str) -> str:
    return base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")


def signed(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))


ANY_JSON = JSON.map(json.dumps) | st.just(DEEP)
TOKENS = st.one_of(
    st.text(max_size=40),
    st.builds(
        "{}.{}.{}".format, (changed(HEADER).map(json.dumps) | ANY_JSON).map(part), ANY_JSON.map(part), st.just("")
    ),
    changed(CLAIMS).filter(lambda claims: "exp" not in claims or claims["exp"] is not None).map(signed),
)


@pytest.fixture(scope="module")
def authenticator(tmp_path_factory: pytest.TempPathFactory) -> TokenAuthenticator:
    file = tmp_path_factory.mktemp("jwks") / "jwks.json"
    file.write_text(json.dumps({"keys": [PUBLIC.as_dict(private=False)]}))
    tokens = JwtTokens(JwtSettings(secret=SECRET, jwks=str(file)), CLOCK)
    return TokenAuthenticator(CLOCK, rooms=SIGNER, jwt=tokens)


@effort(200)
@given(token=TOKENS, prefix=st.sampled_from(["", "", PREFIX]), changes=st.just([]) | mutations(st.just(b".")))
@example(token=".".join([part('{"alg":[]}'), part("{}"), "AAAA"]), prefix="", changes=[])
@example(token=".".join([part('{"alg":"HS256","crit":null}'), part("{}"), "AAAA"]), prefix="", changes=[])
@example(token=".".join([part('{"alg":"HS256","crit":null}'), part("{}"), "AAAA"]), prefix=PREFIX, changes=[])
@example(token=".".join([part(DEEP), part("{}"), "AAAA"]), prefix=PREFIX, changes=[])
@example(token=signed({**CLAIMS, "exp": 10**400}), prefix="", changes=[])
async def test_a_token_has_a_principal_or_is_not_valid(
    token: str, prefix: str, changes: list[Mutation], authenticator: TokenAuthenticator
) -> None:
    given_token = prefix + mutated(token.encode(errors="replace"), changes).decode("latin-1")
    try:
        principal = await authenticator.authenticate(given_token)
    except Unauthorized:
        return
    assert principal.rights <= set(Right)
    assert all(isinstance(room, str) for room in principal.rooms)
    assert isinstance(principal.tenant, str | None)


# what operators write

LINES = st.lists(
    st.builds(
        "{} = {}".format,
        st.sampled_from([*Settings.model_fields, "no_setting", "rooms"]) | st.text("abc.\"'[]=\n", max_size=6),
        st.one_of(
            st.sampled_from(
                ['"x"', "1", "-1", "nan", "inf", "true", "[]", "{}", "1979-05-27", '[{token = ""}]', "'''", DIGITS]
            ),
            st.text(max_size=8),
        ),
    ),
    max_size=4,
).map("\n".join)


@effort(100)
@given(text=LINES, changes=st.just([]) | mutations(st.just(b"[[tokens]]\n")))
def test_a_settings_file_is_read_or_explained(text: str, changes: list[Mutation], tmp_path: Path) -> None:
    file = tmp_path / "livecaptions.toml"
    file.write_bytes(mutated(text.encode(), changes))
    try:
        effective = load({}, file)
    except SetupError as error:
        assert str(error)  # noqa: PT017 - either way is right
    else:
        assert isinstance(effective.settings, Settings)


ROOMS = """
[rooms."keynote"]
vocabulary = ["Kubernetes"]
language = "en"
model = "base"
[rooms."track-*"]
language = "de"
"""


@effort(100)
@given(text=LINES | st.just(ROOMS), changes=mutations(st.just(ROOMS.encode())))
def test_a_rooms_file_is_read_or_explained(text: str, changes: list[Mutation], tmp_path: Path) -> None:
    file = tmp_path / "rooms.toml"
    file.write_bytes(mutated(text.encode(), changes))
    try:
        RoomsFile(file, 86_400)
    except SetupError as error:
        assert str(error)  # noqa: PT017 - either way is right


# what a client hears

MESSAGES: dict[str, dict[str, Any]] = {
    "ready": {"session": "s", "room": "r", "track": "t", "offset": 0, "resumable": True},
    "ack": {"offset": 5},
    "warning": {"code": "silence", "message": "nothing is heard"},
    "caption": {**CAPTION, "seq": 5, "model": "m"},
    "track": {"track": "t", "speaker": "Ada", "state": "live", "seq": 6},
    "live": {},
    "deleted": {"room": "hall", "seq": 7, "deleted_at": "2026-11-23T18:00:00.000Z"},
    "gap": {"from": 1, "to": 5},
    "done": {"offset": 5, "seconds": 1.5, "warnings": [{"code": "silence", "message": "x"}]},
    "error": {"code": "internal", "message": "x", "retry_after": 5.0},
}
FRAMES = st.sampled_from(sorted(MESSAGES)).flatmap(lambda kind: changed({"type": kind, **MESSAGES[kind]}))


def test_every_kind_of_message_is_tried() -> None:
    assert set(MESSAGES) == set(READERS)


@effort(200)
@given(frame=FRAMES.map(json.dumps) | ANY_JSON | st.just(DEEP), changes=st.just([]) | mutations(st.binary(max_size=9)))
@example(frame=DEEP, changes=[])
@example(frame=json.dumps({"type": "done", "offset": 5, "seconds": 10**400}), changes=[])
@example(frame='{"type":"ack","offset":true}', changes=[])
def test_a_message_is_an_event_or_not_of_this_protocol(frame: str, changes: list[Mutation]) -> None:
    try:
        event = read_event(mutated(frame.encode(), changes))
    except UnreachableError:
        return
    assert isinstance(event, Event)
    assert isinstance(event, Unknown) or event.json["type"] in READERS
    for name in ("offset", "seq", "utterance", "revision", "after", "to", "stable"):
        assert not isinstance(getattr(event, name, None), bool), name


@effort(100)
@given(body=changed({"type": "error", **MESSAGES["error"]}).map(json.dumps) | ANY_JSON | st.text(max_size=9))
@example(body="[]")
@example(body='{"code":"x","message":"x","retry_after":' + "9" * 400 + "}")
def test_any_answer_instead_of_an_upgrade_is_a_refusal(body: str) -> None:
    refusal = refusal_of(InvalidStatus(Response(503, "", Headers(), body.encode())))
    assert refusal.code
    assert isinstance(refusal.retry_after, float | None)
