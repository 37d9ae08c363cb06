"""Comparison of speech detectors on speech, noise and speech in noise: ``python -m bench.vad``.

The reference is the word times of ../shared/speech (forced alignment). Frames count if they are inside a word, or in a
gap of at least 300 ms, and at least 100 ms away from the edges. Utterances come from the segmenter with default
settings. A word is whole if one utterance contains it except for 50 ms at either end, cut if utterances contain a part
of it, and missed otherwise. CPU microseconds are those of the detector alone, per second of audio.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from captions.audio import SAMPLE_RATE, Pcm, to_samples
from captions.listener import Listener
from captions.ports.detector import SpeechDetector
from captions.segmenter import Segmenter, SegmenterSettings
from livecaptions.terminal.files import read_file
from streamer.vad.cascade import CascadeDetector
from streamer.vad.high_pass import HighPassed
from streamer.vad.silero import SileroDetector
from streamer.vad.webrtc import WebrtcDetector

SHARED = Path(__file__).resolve().parents[2] / "shared"
EDGE = to_samples(0.1)
GAP = to_samples(0.3)
WORD_EDGE = to_samples(0.05)

Detectors = dict[str, Callable[[], SpeechDetector]]
DETECTORS: Detectors = {
    "webrtc, mode 1": lambda: HighPassed(WebrtcDetector(1)),
    "webrtc, mode 2": lambda: HighPassed(WebrtcDetector(2)),
    "webrtc, mode 2, no high-pass": lambda: WebrtcDetector(2),
    "webrtc, mode 3": lambda: HighPassed(WebrtcDetector(3)),
    "silero": lambda: HighPassed(SileroDetector()),
    "silero, no high-pass": SileroDetector,
    "cascade, mode 0": lambda: HighPassed(CascadeDetector(0)),
    "cascade, mode 1": lambda: HighPassed(CascadeDetector(1)),
    "cascade, mode 1, no high-pass": lambda: CascadeDetector(1),
    "cascade, mode 2": lambda: HighPassed(CascadeDetector(2)),
    "cascade, mode 3": lambda: HighPassed(CascadeDetector(3)),
}
DEFAULTS = SegmenterSettings()
SETTINGS: dict[str, SegmenterSettings] = {
    "defaults": DEFAULTS,
    "onset 0.3, offset 0.2": replace(DEFAULTS, onset=0.3, offset=0.2),
    "onset 0.4, offset 0.3": replace(DEFAULTS, onset=0.4, offset=0.3),
    "onset 0.5, offset 0.25": replace(DEFAULTS, onset=0.5, offset=0.25),
    "onset 0.5, offset 0.35": replace(DEFAULTS, onset=0.5, offset=0.35),
    "onset 0.6, offset 0.4": replace(DEFAULTS, onset=0.6, offset=0.4),
    "min_speech 0.03": replace(DEFAULTS, min_speech=0.03),
    "min_speech 0.16": replace(DEFAULTS, min_speech=0.16),
    "pre_roll 0.15": replace(DEFAULTS, pre_roll=0.15),
    "post_roll 0.1": replace(DEFAULTS, post_roll=0.1),
    "endpoint 0.3": replace(DEFAULTS, endpoint=0.3),
    "endpoint 0.7": replace(DEFAULTS, endpoint=0.7),
}


@dataclass(frozen=True, slots=True)
class Recording:
    """Audio and the (start, end) of its words, in samples."""

    pcm: Pcm
    words: tuple[tuple[int, int], ...] = ()

    def spoken(self) -> npt.NDArray[np.bool_]:
        """Whether each sample is inside a word."""
        inside = np.zeros(len(self.pcm), dtype=np.bool_)
        for start, end in self.words:
            inside[start:end] = True
        return inside

    def truth(self) -> npt.NDArray[np.int8]:
        """For each sample: 1 for speech, 0 for none, -1 if the reference is uncertain."""
        label = self.spoken().astype(np.int8)
        edges = np.flatnonzero(np.diff(label, prepend=0, append=0))
        starts, ends = edges[::2], edges[1::2]
        for end, start in zip(ends[:-1], starts[1:], strict=True):
            if start - end < GAP:
                label[end:start] = -1
        turns = [ends[:-1][starts[1:] - ends[:-1] >= GAP], starts[1:][starts[1:] - ends[:-1] >= GAP]]
        for edge in np.concatenate([*turns, starts[:1], ends[-1:]]):
            label[max(0, edge - EDGE) : edge + EDGE] = -1
        return label

    def in_noise(self, noise: Pcm, ratio: float) -> "Recording":
        """The recording with added ``noise``, ``ratio`` dB below the words."""
        under = np.resize(noise, len(self.pcm)).astype(np.float64)
        power = np.mean(self.pcm[self.spoken()].astype(np.float64) ** 2) / 10 ** (ratio / 10)
        mixed = self.pcm + under * np.sqrt(power / np.mean(under**2))
        return replace(self, pcm=np.clip(np.round(mixed), -32768, 32767).astype(np.int16))

    def quieter(self, by: float) -> "Recording":
        """The recording, ``by`` dB quieter."""
        return replace(self, pcm=np.round(self.pcm * 10 ** (-by / 20)).astype(np.int16))

    def offset(self, by: float) -> "Recording":
        """The recording with a constant offset of ``by``, as a share of full scale. Cheap microphones have one."""
        return replace(self, pcm=np.clip(self.pcm + round(by * 32768), -32768, 32767).astype(np.int16))

    def telephoned(self) -> "Recording":
        """The recording as over a telephone: 8 kHz, mu-law, 20 dB quieter."""
        narrow = soxr.resample(self.quieter(20).pcm / 32768, SAMPLE_RATE, SAMPLE_RATE / 2)
        level = np.round(np.sign(narrow) * np.log1p(255 * np.minimum(np.abs(narrow), 1.0)) / np.log(256) * 127) / 127
        wide = soxr.resample(np.sign(level) * np.expm1(np.abs(level) * np.log(256)) / 255, SAMPLE_RATE / 2, SAMPLE_RATE)
        pcm = np.zeros_like(self.pcm)
        pcm[: len(wide)] = np.clip(np.round(wide * 32768), -32768, 32767)[: len(pcm)]
        return replace(self, pcm=pcm)


def load(path: Path) -> Recording:
    """Read a recording and its word times, if there are any."""
    pcm = np.frombuffer(b"".join(read_file(path)), dtype="<i2").astype(np.int16)
    ctm = path.with_suffix(".ctm")
    rows = [line.split() for line in ctm.read_text().splitlines()] if ctm.exists() else []
    return Recording(pcm, tuple((to_samples(float(r[2])), to_samples(float(r[2]) + float(r[3]))) for r in rows))


def made_noise(seconds: int = 30) -> dict[str, Recording]:
    """White and pink noise, mains hum and clicks, from a fixed seed."""
    generator, n = np.random.default_rng(1), seconds * SAMPLE_RATE
    white = generator.normal(size=n)
    pink = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 20)), n)
    at = np.arange(n) / SAMPLE_RATE
    hum = np.sum([np.sin(2 * np.pi * 50 * k * at) / k for k in range(1, 8)], axis=0)
    clicks = np.zeros(n)
    for start in generator.integers(0, n - 800, 3 * seconds):
        clicks[start : start + 800] += generator.normal(size=800) * np.exp(-np.arange(800) / 120)
    sounds = {"white": white, "pink": pink, "hum": hum, "clicks": clicks}
    return {name: Recording((x / np.abs(x).max() * 6000).astype(np.int16)) for name, x in sounds.items()}


def answers(detector: SpeechDetector, pcm: Pcm) -> npt.NDArray[np.float64]:
    """The probability of each whole frame."""
    size = detector.frame_samples
    return np.array([detector.probability(pcm[at : at + size]) for at in range(0, len(pcm) - size + 1, size)])


def frame_rates(make: Callable[[], SpeechDetector], speech: list[Recording]) -> tuple[float, float]:
    """The shares of frames with and without speech that the detector takes for speech, at the onset threshold."""
    called, true = [], []
    for recording in speech:
        detector = make()
        found = answers(detector, recording.pcm) >= DEFAULTS.onset
        middles = np.arange(len(found)) * detector.frame_samples + detector.frame_samples // 2
        called.append(found)
        true.append(recording.truth()[middles])
    found, label = np.concatenate(called), np.concatenate(true)
    return float(found[label == 1].mean()), float(found[label == 0].mean())


def utterances(detector: SpeechDetector, pcm: Pcm, settings: SegmenterSettings) -> list[tuple[int, int]]:
    """Start and end of each utterance, in samples."""
    listener = Listener(detector, Segmenter(settings, detector.frame_samples))
    found: dict[int, tuple[int, int]] = {}
    for piece in listener.push(pcm) + listener.finish():
        start = found.get(piece.utterance, (piece.start, 0))[0]
        found[piece.utterance] = (start, piece.end if piece.end is not None else piece.start + len(piece.pcm))
    return list(found.values())


@dataclass(slots=True)
class Outcome:
    """Counts of whole, cut and missed words, of utterances, and of their samples."""

    whole: int = 0
    cut: int = 0
    missed: int = 0
    count: int = 0
    samples: int = 0

    def add(self, recording: Recording, found: list[tuple[int, int]]) -> None:
        """Add the utterances of one recording."""
        self.count += len(found)
        self.samples += sum(end - start for start, end in found)
        for start, end in recording.words:
            edge = min(WORD_EDGE, (end - start) // 2)
            if any(first <= start + edge and end - edge <= last for first, last in found):
                self.whole += 1
            elif any(first < end and start < last for first, last in found):
                self.cut += 1
            else:
                self.missed += 1

    @property
    def words(self) -> str:
        """Whole words in percent, cut words, missed words."""
        return f"{self.whole / max(1, self.whole + self.cut + self.missed):.2%}, {self.cut}, {self.missed}"


def outcome(make: Callable[[], SpeechDetector], recordings: list[Recording], settings: SegmenterSettings) -> Outcome:
    """The outcome of ``recordings``, each as a separate stream."""
    result = Outcome()
    for recording in recordings:
        result.add(recording, utterances(make(), recording.pcm, settings))
    return result


def noise_passed(result: Outcome, recordings: list[Recording]) -> str:
    """Seconds per minute that were taken for speech, and the number of utterances."""
    total = sum(len(recording.pcm) for recording in recordings)
    return f"{60 * result.samples / total:.1f} s, {result.count}"


def cost(make: Callable[[], SpeechDetector], pcm: Pcm) -> float:
    """CPU microseconds per second of audio."""
    detector = make()
    began = time.process_time()
    answers(detector, pcm)
    return (time.process_time() - began) / (len(pcm) / SAMPLE_RATE) * 1e6


def rows(columns: list[str]) -> Callable[[str, Iterator[str]], None]:
    """Print the head of a table, and return a function that prints a row."""
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    return lambda label, cells: print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Print the Markdown tables."""
    parser = argparse.ArgumentParser(
        description="Compare speech detectors: detected speech, passed noise and CPU time."
    )
    parser.add_argument("--settings", action="store_true", help="also compare settings of the segmenter")
    options = parser.parse_args()
    speech = [load(path) for path in sorted((SHARED / "speech").glob("*.flac"))]
    noise = [load(path) for path in sorted((SHARED / "noise").glob("*.flac"))]
    made = list(made_noise().values())
    under = np.concatenate([one.pcm for one in noise])
    conditions = {
        "clean": speech,
        "10 dB over noise": [one.in_noise(under, 10) for one in speech],
        "5 dB over noise": [one.in_noise(under, 5) for one in speech],
        "20 dB quieter": [one.quieter(20) for one in speech],
        "by a quiet telephone": [one.telephoned() for one in speech],
        "20 dB quieter on an offset of 0.05": [one.quieter(20).offset(0.05) for one in speech],
    }
    seconds = sum(len(one.pcm) for one in speech) / SAMPLE_RATE
    count = sum(len(one.words) for one in speech)
    print(f"{seconds / 60:.1f} minutes of speech, {count} words; {len(under) / SAMPLE_RATE:.0f} s of recorded noise\n")

    row = rows(["frames called speech: of speech / of none", *list(conditions)[:3], "in noise alone"])
    for name, make in DETECTORS.items():
        rates = [frame_rates(make, conditions[key]) for key in list(conditions)[:3]]
        alone = np.concatenate([answers(make(), one.pcm) for one in noise]) >= DEFAULTS.onset
        row(name, iter([*(f"{hit:.1%} / {false:.1%}" for hit, false in rates), f"{alone.mean():.1%}"]))

    print()
    heard = [f"words {key}" for key in conditions]
    row = rows(
        ["whole, cut, missed", *heard, "utterances, clean", "recorded noise passed a minute, utterances", "made noise"]
    )
    for name, make in DETECTORS.items():
        row(name, _outcomes(make, conditions, noise, made, DEFAULTS))

    print()
    row = rows(["CPU us per audio second", "speech", "noise", "silence"])
    joined = np.concatenate([one.pcm for one in speech])[: 300 * SAMPLE_RATE]
    for name, make in DETECTORS.items():
        row(name, (f"{cost(make, pcm):.0f}" for pcm in (joined, under, np.zeros_like(under))))

    if options.settings:
        print()
        row = rows(["cascade, mode 1, with", *heard, "utterances, clean", "recorded noise", "made noise"])
        for name, settings in SETTINGS.items():
            row(name, _outcomes(lambda: HighPassed(CascadeDetector()), conditions, noise, made, settings))


def _outcomes(
    make: Callable[[], SpeechDetector],
    conditions: dict[str, list[Recording]],
    noise: list[Recording],
    made: list[Recording],
    settings: SegmenterSettings,
) -> Iterator[str]:
    """The cells of a row: words per condition, utterances of clean speech, and passed noise."""
    results = [outcome(make, recordings, settings) for recordings in conditions.values()]
    yield from (result.words for result in results)
    yield str(results[0].count)
    yield from (noise_passed(outcome(make, some, settings), some) for some in (noise, made))


if __name__ == "__main__":
    main()
