"""Every audio decoder, with streams that are almost right and streams that are not: samples or a refusal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.audio import Pcm, from_bytes
from captions.audio_warnings import AudioWarning, WarningCode
from captions.errors import UnsupportedAudio
from captions.ports.probe import Probe
from captions.stream_options import AudioFormat, Encoding
from livecaptions.talk import talk_path
from livecaptions.terminal.files import read_file
from streamer.audio.open import open_decoder
from streamer.audio.processes import DecoderProcesses
from streamer.audio.samples import BYTES
from tests.fuzz.effort import effort
from tests.fuzz.mutations import Mutation, mutated, mutations
from tests.streamer.audio.decoding import decode_container
from tests.streamer.audio.encoding import FORMATS, encoded

pytestmark = pytest.mark.fuzz

SPEECH: Pcm = from_bytes(b"".join(read_file(talk_path())))[: 16_000 * 2]
FILES = {name: encoded(SPEECH, *kind) for name, kind in FORMATS.items()}
ANY_FILE = st.sampled_from(sorted(FILES)).map(FILES.__getitem__)
PIECES = st.tuples(ANY_FILE, st.floats(0, 1), st.floats(0, 1)).map(
    lambda drawn: drawn[0][int(drawn[1] * len(drawn[0])) :][: int(drawn[2] * 4000)]
)
SIZES = st.sampled_from([100, 700, 5000, 60_000])
MOST_SECONDS = 60
"""Sound that changes of two seconds of sound may be taken for; more would be a bomb."""


def assert_decoded_or_refused(data: bytes, size: int) -> None:
    told: list[AudioWarning] = []
    try:
        pcm = decode_container(data, size, told)
    except UnsupportedAudio as refusal:
        assert refusal.message  # noqa: PT017 - either way is right
    else:
        assert pcm.dtype == np.int16
        assert len(pcm) < MOST_SECONDS * 16_000
        assert len(pcm) or told or not data, "bytes that are neither heard nor reported"
    assert len({warning.code for warning in told}) == len(told)


@pytest.mark.parametrize("name", FILES)
@effort(12)
@given(changes=mutations(PIECES), size=SIZES)
def test_a_recording_that_was_changed_is_heard_or_refused(name: str, changes: list[Mutation], size: int) -> None:
    assert_decoded_or_refused(mutated(FILES[name], changes), size)


@effort(30)
@given(parts=st.lists(PIECES | st.binary(max_size=300), max_size=8), size=SIZES)
def test_pieces_of_recordings_in_any_order_are_heard_or_refused(parts: list[bytes], size: int) -> None:
    assert_decoded_or_refused(b"".join(parts), size)


SPECIAL = st.sampled_from([np.nan, np.inf, -np.inf, 1e38, -1e38, 1e-45, 0.0, -0.0, 1.0, -1.0])


@effort(60)
@given(
    audio=st.builds(
        AudioFormat,
        st.sampled_from([encoding for encoding in Encoding if encoding is not Encoding.CONTAINER]),
        st.integers(8000, 48_000),
        st.integers(1, 8),
    ),
    noise=st.binary(min_size=1, max_size=50)
    | st.lists(SPECIAL, min_size=1).map(lambda x: np.array(x, "<f4").tobytes()),
    seconds=st.sampled_from([0.001, 0.1, 5.0]),
    sizes=st.lists(st.integers(0, 70_000), max_size=12),
)
async def test_any_bytes_of_any_format_are_samples_or_refused(
    audio: AudioFormat, noise: bytes, seconds: float, sizes: list[int]
) -> None:
    frame = BYTES[audio.encoding] * audio.channels
    data = (noise * (int(seconds * audio.sample_rate) * frame // len(noise) + 1))[: 300_000 * 4]
    decoder = open_decoder(audio, DecoderProcesses(), Probe())
    samples = offset = at = 0
    try:
        for size in [*sizes, len(data)]:
            await decoder.feed(data[at : at + size])
            at = min(at + size, len(data))
            while (decoded := decoder.take()) is not None:
                assert decoded.pcm.dtype == np.int16
                assert offset <= decoded.offset <= at
                samples, offset = samples + len(decoded.pcm), decoded.offset
        await decoder.finish()
        while (decoded := decoder.take()) is not None:
            samples, offset = samples + len(decoded.pcm), decoded.offset
    except UnsupportedAudio:
        assert audio.encoding is Encoding.FLOAT32, "all other bytes are sound"
    else:
        assert decoder.over
        assert offset == len(data) // frame * frame
        assert abs(samples - len(data) // frame * 16_000 / audio.sample_rate) <= 2
        incomplete = [w for w in decoder.warnings.all if w.code is WarningCode.INCOMPLETE_SAMPLE]
        assert bool(incomplete) == bool(len(data) % frame)
    finally:
        await decoder.close()
