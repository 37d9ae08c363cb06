"""The native protocol as a pure object: frames in, commands out; events in, frames out."""

import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from captions.audio_warnings import AudioWarning, WarningCode
from captions.errors import REFUSALS, BadRequest, ClientFault, Refusal, TooLarge, TooMany
from captions.messages import TrackMessage, done, error_message
from captions.publication import (
    Accepted,
    Acknowledged,
    Audio,
    Captioned,
    Command,
    EndStream,
    Event,
    FinalizeUtterance,
    Finished,
    Mute,
    SpeechStarted,
    Warned,
)
from captions.stream_options import AudioFormat, Encoding, StreamOptions
from captions.terms import Term
from captions.track import RoomId
from streamer.protocols.native import LARGEST_FRAME, NativeProtocol, stream_options
from streamer.protocols.protocol import Closing, PublisherProtocol
from tests.captions.messages import caption
from tests.support import terms

MAIN = RoomId("hall").track("main")
QUIET = AudioWarning(WarningCode.TOO_QUIET, "The sound is very quiet.")
PARAMETERS = (
    "encoding",
    "sample_rate",
    "channels",
    "track",
    "speaker",
    "language",
    "languages",
    "vocabulary",
    "endpointing",
    "session",
    "takeover",
    "audio",
    "token",
)


@pytest.fixture
def protocol() -> PublisherProtocol:
    return NativeProtocol()


def sent(protocol: PublisherProtocol, event: Event) -> list[object]:
    frames = protocol.send(event)
    assert all(isinstance(frame, str) for frame in frames)
    return [json.loads(frame) for frame in frames]


@pytest.mark.parametrize("data", [b"", b"\0\1", b"x" * LARGEST_FRAME])
def test_a_binary_frame_is_audio(protocol: PublisherProtocol, data: bytes) -> None:
    assert protocol.receive(data) == (Audio(data),)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"type": "finalize"}', FinalizeUtterance()),
        ('{"type": "keepalive"}', Mute()),
        ('{"type": "end"}', EndStream()),
        (' {"later": [1, {}], "type": "end"}\n', EndStream()),
    ],
)
def test_a_text_frame_is_a_command_and_unknown_fields_are_ignored(
    protocol: PublisherProtocol, text: str, command: Command
) -> None:
    assert protocol.receive(text) == (command,)


@pytest.mark.parametrize(
    "text", ["", "end", "{", "[]", "null", '"end"', "{}", '{"type": null}', '{"type": "END"}', '{"type": ["end"]}']
)
def test_a_text_that_is_no_message_is_refused_with_what_may_be_sent(protocol: PublisherProtocol, text: str) -> None:
    with pytest.raises(BadRequest, match="send finalize, keepalive or end"):
        protocol.receive(text)


@pytest.mark.parametrize(
    "frame",
    [
        b"x" * (LARGEST_FRAME + 1),
        " " * (LARGEST_FRAME + 1),
        '{"type": "end", "padding": "%s"}' % ("ü" * (LARGEST_FRAME // 2)),  # of fewer characters than bytes
    ],
)
def test_a_frame_over_the_limit_is_refused_with_the_limit(protocol: PublisherProtocol, frame: str | bytes) -> None:
    with pytest.raises(TooLarge, match=str(LARGEST_FRAME)):
        protocol.receive(frame)


@given(
    st.one_of(
        st.text(max_size=200),
        st.binary(max_size=200),
        st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5).map(json.dumps),
        st.dictionaries(st.sampled_from(["type", "offset"]) | st.text(), st.text() | st.integers()).map(json.dumps),
        st.sampled_from(["finalize", "keepalive", "end"]).map(lambda kind: json.dumps({"type": kind})),
    )
)
@example("\ud800")
@example('{"type": "\\ud800"}')
@example("[" * 10_000)
@example('{"type": 1e999}')
def test_whatever_is_received_becomes_one_command_or_a_client_fault(frame: str | bytes) -> None:
    try:
        (command,) = NativeProtocol().receive(frame)
    except ClientFault:
        assert isinstance(frame, str), "bytes of this size are always audio"
    else:
        assert isinstance(command, Command)


def test_accepted_is_ready(protocol: PublisherProtocol) -> None:
    assert sent(protocol, Accepted(session="s1", track=MAIN, offset=640)) == [
        {"type": "ready", "session": "s1", "room": "hall", "track": "main", "offset": 640, "resumable": True}
    ]


def test_acknowledged_is_an_ack(protocol: PublisherProtocol) -> None:
    assert sent(protocol, Acknowledged(32_000)) == [{"type": "ack", "offset": 32_000}]


def test_the_begin_of_speech_has_no_message(protocol: PublisherProtocol) -> None:
    assert sent(protocol, SpeechStarted(1.25)) == []


@pytest.mark.parametrize("final", [False, True])
def test_a_caption_is_passed_on_as_viewers_get_it(protocol: PublisherProtocol, final: bool) -> None:
    message = caption(final=final, text="größer 字幕")
    data = message.encode().encode()
    assert protocol.send(Captioned(message, data)) == (data.decode(),)


def test_a_warning_is_a_warning(protocol: PublisherProtocol) -> None:
    assert sent(protocol, Warned(QUIET)) == [{"type": "warning", "code": "too_quiet", "message": QUIET.message}]


@pytest.mark.parametrize("warnings", [(), (QUIET,)])
def test_finished_is_done_with_the_warnings_if_there_are_any(
    protocol: PublisherProtocol, warnings: tuple[AudioWarning, ...]
) -> None:
    (message,) = sent(protocol, Finished(offset=9, seconds=1.5, warnings=warnings))
    assert message == json.loads(done(9, 1.5, warnings).encode())
    assert isinstance(message, dict)
    assert ("warnings" in message) == bool(warnings)


def test_the_connection_closes_normally_at_the_end(protocol: PublisherProtocol) -> None:
    assert protocol.finish() == Closing((), 1000, "")


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.code)
def test_a_refusal_is_an_error_and_a_close_with_its_code(protocol: PublisherProtocol, kind: type[Refusal]) -> None:
    refusal = kind() if kind.code == "shutting_down" else kind("what to do")  # type: ignore[call-arg]
    frames, code, reason = protocol.refuse(refusal)
    assert [json.loads(frame) for frame in frames] == [json.loads(error_message(refusal).encode())]
    assert (code, reason) == (kind.close_code, kind.code)
    assert len(reason.encode()) <= 123  # RFC 6455, 5.5


def test_a_refusal_says_when_to_try_again(protocol: PublisherProtocol) -> None:
    ((frame,), code, _) = protocol.refuse(TooMany("later", retry_after=7.5))
    assert json.loads(frame) == {"type": "error", "code": "too_many", "message": "later", "retry_after": 7.5}
    assert code == 1013


def test_no_parameters_are_the_defaults() -> None:
    assert stream_options({}) == StreamOptions()
    assert stream_options({"unknown": ["x"]}) == StreamOptions()


def test_the_protocols_options_are_those_of_the_query(protocol: PublisherProtocol) -> None:
    assert protocol.options({"track": ["guest"]}) == stream_options({"track": ["guest"]})
    with pytest.raises(BadRequest, match="channels: has to be 8 or less"):
        protocol.options({"channels": ["9"]})


def test_all_parameters_are_read() -> None:
    query = {
        "encoding": ["mulaw"],
        "sample_rate": ["8000"],
        "channels": ["2"],
        "track": ["guest"],
        "speaker": ["Ada"],
        "language": ["en"],
        "vocabulary": ["Kafka", "webm"],
        "endpointing": ["0.8"],
        "session": ["abc"],
        "takeover": ["true"],
    }
    assert stream_options(query) == StreamOptions(
        audio=AudioFormat(Encoding.MULAW, 8000, 2),
        track="guest",
        speaker="Ada",
        language="en",
        vocabulary=terms("Kafka", "webm"),
        endpointing=0.8,
        session="abc",
        takeover=True,
    )


def test_languages_are_separated_by_commas() -> None:
    assert stream_options({"languages": ["de,en-GB, fr"]}).languages == ("de", "en-GB", "fr")
    assert stream_options({}).languages == ()
    for wrong in ("", "de,", "auto", "de;en", ",".join(["de"] * 21)):
        with pytest.raises(BadRequest, match="languages"):
            stream_options({"languages": [wrong]})


def test_the_last_value_counts_except_of_a_vocabulary() -> None:
    options = stream_options({"track": ["one", "two"], "vocabulary": ["one", "two"]})
    assert (options.track, options.vocabulary) == ("two", terms("one", "two"))


def test_a_container_describes_itself() -> None:
    options = stream_options({"encoding": ["container"], "sample_rate": ["1"], "channels": ["99"]})
    assert options.audio == AudioFormat(Encoding.CONTAINER)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("encoding", "mp3"),
        ("sample_rate", "7999"),
        ("sample_rate", "48001"),
        ("sample_rate", "fast"),
        ("channels", "0"),
        ("channels", "9"),
        ("track", ""),
        ("track", "a/b"),
        ("speaker", "x" * 81),
        ("speaker", "a\nb"),
        ("language", "not a tag"),
        ("vocabulary", "x" * 51),
        ("endpointing", "0"),
        ("endpointing", "nan"),
        ("takeover", "perhaps"),
    ],
)
def test_a_wrong_parameter_is_named(name: str, value: str) -> None:
    with pytest.raises(BadRequest, match=f"^{name}[.:]"):
        stream_options({name: [value]})


@given(
    st.dictionaries(
        st.sampled_from(PARAMETERS) | st.text(),
        st.lists(
            st.text() | st.sampled_from(["linear16", "container", "16000", "2", "true", "en", "0.5", "nan", "1e999"]),
            min_size=1,
            max_size=3,
        ),
    )
)
@example({"audio": ["linear16/16000/1"]})
def test_whatever_is_asked_for_gives_options_or_a_bad_request(query: dict[str, list[str]]) -> None:
    with suppress(BadRequest):
        options = stream_options(query)
        assert options.format.encoding is Encoding.CONTAINER or 8_000 <= options.format.sample_rate <= 48_000
        assert 1 <= options.format.channels <= 8


def test_a_track_state_is_none_of_a_publishers_events(protocol: PublisherProtocol) -> None:
    state = TrackMessage(room="hall", track="main", state="live")
    with pytest.raises(BadRequest):
        protocol.receive(state.encode())


def test_a_term_in_json_says_how_it_sounds() -> None:
    given = ['{"text":"kubectl","sounds_like":["cube control"],"weight":2}', "plain", "{curly", "a|b", "[1]", '{"open']
    options = stream_options({"vocabulary": given})
    assert options.vocabulary[0] == Term(text="kubectl", sounds_like=("cube control",), weight=2)
    assert options.vocabulary[1:] == terms(*given[1:])


@pytest.mark.parametrize(
    "wrong", ['{"no": "term"}', '{"text": ""}', '{"text": "a", "weight": 0}', "{" + '"a":{' * 9000]
)
def test_an_object_that_is_no_term_is_refused(wrong: str) -> None:
    with pytest.raises(BadRequest, match="vocabulary"):
        stream_options({"vocabulary": [wrong]})
