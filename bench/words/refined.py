"""The second pass against live finals, and against faster-whisper's own transcription of the whole file."""

import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from faster_whisper import WhisperModel

from bench.clocked import fixed_decode
from bench.models import base_folder
from bench.words.corpus import Recording, speech
from bench.words.cuts import Cut, cuts
from bench.words.finals import text_of
from bench.words.intervals import difference, interval
from bench.words.models import load
from bench.words.scoring import Score, score
from captions.audio import to_seconds
from captions.gates import screen
from captions.ports.engine import DecodeRequest
from captions.refine_windows import Layout, Span, WindowSettings, windows
from captions.words import join
from inference.engine import REFINING, WhisperEngine, WhisperSettings
from inference.models import resolve
from inference.second_pass import alone

Transcribe = Callable[[Recording, Sequence[Cut]], str]
"""The text of a recording, or of its utterances."""


class Measured(NamedTuple):
    """What one way to transcribe got wrong, and its CPU seconds."""

    score: Score
    cpu: float


def with_settings(engine: WhisperEngine, settings: WhisperSettings) -> WhisperEngine:
    """An engine with the same weights and other settings."""
    return WhisperEngine(
        engine.model, engine.tokenizer, name=engine.model_name, revision=engine.revision, settings=settings
    )


def refined_text(engine: WhisperEngine, utterances: Sequence[Cut], settings: WindowSettings) -> str:
    """The captions of a recording after its second pass, as one text."""
    texts: list[str] = []
    for window in windows([_span(number, one) for number, one in enumerate(utterances)], settings):
        layout = Layout(window, settings)
        pcm = layout.audio([utterances[span.number].pcm for span in window])
        (found,) = engine.decode([DecodeRequest(pcm=pcm, language="en", final=True)])
        kept = screen(found, to_seconds(layout.samples)).words
        for span, words in zip(window, layout.shares(kept), strict=True):
            texts.append(join(screen(alone(found, words), to_seconds(span.end - span.start)).words, "en"))
    return " ".join(texts)


def whole_file(model: str, recording: Recording) -> str:
    """What faster-whisper makes of a whole recording with its VAD filter and 5 beams."""
    audio = recording.pcm.astype(np.float32) / 32768
    segments, _ = _peer(model).transcribe(audio, language="en", beam_size=5, vad_filter=True)
    return " ".join(segment.text.strip() for segment in segments)


def print_table(model: str) -> None:
    """Print the table of one model, which makes the live captions; behind tiny.en also with base as the second."""
    recordings = [(one, cuts(one.pcm)) for one in speech("en")]
    audio = sum(one.seconds for one, _ in recordings)
    words = sum(len(one.text.split()) for one, _ in recordings)
    live = load(model)
    for _, utterances in recordings:
        for one in utterances:
            live.prepare(one.pcm)
    print(f"{model}, int8, 1 thread: {len(recordings)} English recordings, {audio / 60:.1f} minutes, {words} words")
    print(f"A fixed decode takes {fixed_decode(live):.3f} CPU s.\n")
    print("| captions | WER (95 %) | minus live, points (95 %) | CPU s per audio s |\n|---|---|---|---|")
    rows: dict[str, Transcribe] = {"live": lambda _, said: text_of(live, said, "en")}
    rows[f"refined by {model}"] = _refined(with_settings(live, REFINING))
    if model != "base" and base_folder() is not None:
        rows["refined by base"] = _refined(with_settings(load("base"), REFINING))
    rows[f"faster-whisper, {model}, the whole file"] = lambda recording, _: whole_file(model, recording)
    baseline: Measured | None = None
    for label, transcribe in rows.items():
        found = _measured(recordings, transcribe)
        baseline = baseline or found
        change, cost = difference(found.score, baseline.score).points, found.cpu / audio
        print(f"| {label} | {interval(found.score)} | {change} | {cost:.3f} |", flush=True)


def _refined(engine: WhisperEngine) -> Transcribe:
    return lambda _, said: refined_text(engine, said, WindowSettings())


def _measured(recordings: Sequence[tuple[Recording, Sequence[Cut]]], transcribe: Transcribe) -> Measured:
    began = time.process_time()
    texts = [transcribe(one, said) for one, said in recordings]
    cpu = time.process_time() - began
    return Measured(
        Score.of([score(one.text, text, "en") for (one, _), text in zip(recordings, texts, strict=True)]), cpu
    )


def _span(number: int, cut: Cut) -> Span:
    """The utterance as the gateway would log it, in real time."""
    end = cut.start + len(cut.pcm)
    began, ended = to_seconds(cut.start), to_seconds(end)
    return Span(number=number, start=cut.start, end=end, sent=end, began=began, ended=ended)


@cache
def _peer(model: str) -> WhisperModel:
    folder = base_folder() if model == "base" else resolve(model, device="cpu").path
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
