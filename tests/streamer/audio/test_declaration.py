import numpy as np
import pytest

from captions.audio import from_bytes
from captions.audio_warnings import AudioWarnings
from captions.stream_options import AudioFormat, Encoding
from streamer.audio.declaration import Declaration
from streamer.audio.samples import BYTES


@pytest.mark.parametrize("channels", range(1, 9))
@pytest.mark.parametrize("encoding", ["linear16", "float32", "mulaw", "alaw"])
@pytest.mark.parametrize("kind", ["noise", "words", "zeros"])
def test_any_bytes_of_any_format_can_be_judged(encoding: str, channels: int, kind: str) -> None:
    audio = AudioFormat(Encoding(encoding), 8000, channels)
    generator, warnings = np.random.default_rng(channels), AudioWarnings()
    declaration = Declaration(audio, warnings)
    for frames in (8001, 7, 8003, 5003, 1, 12_007):
        size = frames * BYTES[audio.encoding] * channels
        made = {
            "noise": generator.bytes(size),
            "words": (b"plain text, twice and again. " * size)[:size],
            "zeros": bytes(size),
        }
        declaration.add_bytes(made[kind])
        declaration.add_samples(from_bytes(made[kind][: size // 2 * 2]))
    declaration.finish()
    assert kind == "words" or warnings.all == ()
