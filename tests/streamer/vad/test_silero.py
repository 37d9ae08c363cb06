from pathlib import Path

import faster_whisper.vad
import numpy as np
import pytest

from captions.errors import SetupError
from livecaptions.terminal.files import read_file
from streamer.vad import detector_factory, silero
from streamer.vad.silero import SileroDetector
from tests.conftest import SHARED


@pytest.mark.speech
def test_a_stream_hears_what_faster_whisper_hears_in_the_whole_file() -> None:
    pcm = np.frombuffer(b"".join(read_file(SHARED / "speech" / "jfk_inaugural.flac")), "<i2")
    pcm = pcm[: len(pcm) // 512 * 512]
    detector = SileroDetector()
    streamed = [detector.probability(frame) for frame in pcm.reshape(-1, 512)]
    whole = faster_whisper.vad.get_vad_model()(pcm.astype(np.float32) / 32768)
    # faster-whisper blanks the end of its last window by mistake
    np.testing.assert_allclose(streamed[:-1], whole.squeeze()[:-1], atol=1e-4)


def test_streams_share_one_network() -> None:
    assert SileroDetector()._network is SileroDetector()._network


def test_without_the_network_the_factory_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silero._session.cache_clear()
    monkeypatch.setattr("faster_whisper.utils.get_assets_path", lambda: str(tmp_path))
    with pytest.raises(SetupError, match="--vad webrtc"):
        detector_factory("cascade")
    monkeypatch.undo()
    detector_factory("cascade")
