import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captions.audio import NO_AUDIO, Pcm
from captions.listener import Listener
from captions.segmenter import Piece, Segmenter, SegmenterSettings
from livecaptions.terminal.files import read_file
from streamer.vad import detector_factory
from tests.conftest import SHARED
from tests.support import EnergyDetector, script_of


def listen(pcm: Pcm, sizes: list[int]) -> list[Piece]:
    detector = EnergyDetector()
    listener = Listener(detector, Segmenter(SegmenterSettings(), detector.frame_samples))
    pieces: list[Piece] = []
    at = 0
    for size in sizes:
        pieces += listener.push(pcm[at : at + size])
        at += size
        assert listener.position == min(at, len(pcm))
    pieces += listener.push(pcm[at:])
    return pieces + listener.finish()


def facts(pieces: list[Piece]) -> list[tuple[object, ...]]:
    return [(p.utterance, p.number, p.start, p.pcm.tobytes(), p.last, p.end, p.reason, p.paused) for p in pieces]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5000), max_size=40))
def test_the_same_audio_gives_the_same_pieces_whatever_the_sizes_it_arrives_in(sizes: list[int]) -> None:
    _, pcm = script_of(2, words=3)
    assert facts(listen(pcm, sizes)) == facts(listen(pcm, [len(pcm)]))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100), st.sampled_from([160, 320, 700]))
def test_audio_that_waits_as_long_as_it_may_brings_every_piece_when_it_would_have_come(seed: int, size: int) -> None:
    _, pcm = script_of(2, words=3, seed=seed)
    detector = EnergyDetector()
    prompt, patient = (Listener(detector, Segmenter(SegmenterSettings(), detector.frame_samples)) for _ in range(2))
    waiting, turns = NO_AUDIO, 0
    for at in range(0, len(pcm), size):
        pieces = facts(prompt.push(pcm[at : at + size]))
        waiting = np.concatenate((waiting, pcm[at : at + size]))
        if len(waiting) < patient.samples_until_next_piece:
            assert not pieces
            continue
        assert facts(patient.push(waiting)) == pieces
        waiting, turns = NO_AUDIO, turns + 1
    assert turns < len(pcm) / size / (2 if size < 700 else 1)


def test_the_end_of_the_stream_is_heard_to_the_last_sample() -> None:
    pcm = np.full(16_000 + 7, 2000, dtype=np.int16)
    pieces = listen(pcm, [])
    assert pieces[-1].reason == "end"
    assert pieces[-1].start + len(pieces[-1].pcm) == len(pcm)


@pytest.mark.speech
@pytest.mark.parametrize("clip", sorted(path.stem for path in (SHARED / "speech").glob("*.ctm")))
def test_words_lie_inside_utterances(clip: str) -> None:
    pcm = np.concatenate([np.frombuffer(c, "<i2") for c in read_file(SHARED / "speech" / f"{clip}.flac")])
    detector = detector_factory("cascade")()
    listener = Listener(detector, Segmenter(SegmenterSettings(), detector.frame_samples))
    pieces = listener.push(pcm) + listener.finish()
    covered = np.zeros(len(pcm), dtype=bool)
    for piece in pieces:
        covered[piece.start : piece.start + len(piece.pcm)] = True
    words = [line.split() for line in (SHARED / "speech" / f"{clip}.ctm").read_text().splitlines()]
    spans = [(round(float(f[2]) * 16_000), round((float(f[2]) + float(f[3])) * 16_000)) for f in words]
    lost = [(start, end) for start, end in spans if covered[start:end].mean() < 0.9]
    assert len(lost) <= 1
    assert all(end - start < 1600 for start, end in lost)


@pytest.mark.speech
@pytest.mark.parametrize("noise", ["noise1", "noise2", "noise3"])
def test_noise_opens_no_utterance(noise: str) -> None:
    pcm = np.frombuffer(b"".join(read_file(SHARED / "noise" / f"{noise}.flac")), "<i2")
    detector = detector_factory("cascade")()
    listener = Listener(detector, Segmenter(SegmenterSettings(), detector.frame_samples))
    assert listener.push(pcm) + listener.finish() == []


def test_another_listener_goes_on_with_an_utterance_as_the_first_would_have() -> None:
    _, pcm = script_of(3, words=60)  # one utterance is long enough to be cut
    pieces = listen(pcm, [])
    assert any(piece.reason == "longest" for piece in pieces)
    for at in range(1, len(pieces), 7):
        before = pieces[at - 1]
        if before.last:
            continue
        of_this = [piece for piece in pieces[:at] if piece.utterance == before.utterance]
        start, position = of_this[0].start, before.start + len(before.pcm)
        segmenter = Segmenter(SegmenterSettings(), EnergyDetector.frame_samples, origin=start)
        listener = Listener(EnergyDetector(), segmenter)
        listener.reopen(before.utterance, len(of_this), np.concatenate([piece.pcm for piece in of_this]))
        rest = [*listener.push(pcm[position:]), *listener.finish()]
        assert rest[0].number == len(of_this)
        assert spoken(rest) == spoken(pieces[at:])


def spoken(pieces: list[Piece]) -> dict[int, tuple[bytes, int | None, str | None]]:
    """The audio of each utterance, where it was cut, and what ended it; not the lengths of its pieces."""
    said: dict[int, tuple[bytes, int | None, str | None]] = {}
    for piece in pieces:
        before, _, _ = said.get(piece.utterance, (b"", None, None))
        said[piece.utterance] = (before + piece.pcm.tobytes(), piece.end, piece.reason)
    return said
