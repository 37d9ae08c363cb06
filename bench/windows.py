"""Accuracy and cost by window length, zeros, tail and loop gate: ``python -m bench.windows``.

Each row decodes the same utterances as finals, one at a time, on one thread. WER is over all words, after OpenAI's
English normaliser. CPU seconds are those of CTranslate2's encoder and decoder (search and alignment) in this process,
per second of audio. Encoded silence is reused between utterances, as in a server, and its computation is not counted.
"""

import argparse
import logging
from dataclasses import dataclass, replace

import jiwer
import structlog
from whisper_normalizer.english import EnglishTextNormalizer

from bench.clocked import Clocked
from bench.models import base_folder
from bench.spoken import Utterance, stems, utterances
from captions.audio import SAMPLE_RATE
from captions.gates import screen
from captions.ports.engine import DecodeRequest
from captions.words import join
from inference.engine import WhisperEngine, WhisperSettings, load_engine

QUICK = ("jfk_inaugural", "azure_katiesteve", "gcp_commercial_call_8k", "moby_dick_1", "two_cities", "sonnet_001")

FULL = WhisperSettings(final_window="full", gated=False, beam_size=5)
ROWS: dict[str, WhisperSettings] = {
    "30 s with 5 beams, as everybody does": FULL,
    "short, 2 s of zeros, tail last 2 s, gated": WhisperSettings(),
    "short, 2 s of zeros, tail all, gated": WhisperSettings(tail=None),
    "short, 0.6 s of zeros, no tail": WhisperSettings(zeros=0.6, short=0.0, tail=0.0, gated=False),
    "short, 2 s of zeros, tail last 2 s": WhisperSettings(gated=False),
    "short, 2 s of zeros, tail last 2 s, gated, greedy": WhisperSettings(beam_size=1),
    "short, 1 s of zeros, tail last 1 s, gated": WhisperSettings(zeros=1.0, tail=1.0),
    "short, 0.6 s of zeros, tail last 1 s, gated": WhisperSettings(zeros=0.6, tail=1.0),
    "short, 1 s of zeros, tail last 2 s, gated": WhisperSettings(zeros=1.0, tail=2.0),
    "short, 2 s of zeros, no tail, gated": WhisperSettings(zeros=2.0, short=0.0, tail=0.0),
    "short, 1 s of zeros, tail last 1 s": WhisperSettings(zeros=1.0, tail=1.0, gated=False),
    "short, 1 s of zeros, tail all, gated": WhisperSettings(zeros=1.0, tail=None),
    "short, 2 s of zeros, tail last 2 s, gated, 5 beams": WhisperSettings(beam_size=5),
    "short, 2 s of zeros, tail last 2 s, gated, 3 beams": WhisperSettings(beam_size=3),
    "short, 2 s of zeros, tail last 2 s, gated, steps of 1 s": WhisperSettings(step=1.0),
    "short, 2 s of zeros, tail last 2 s, gated, searched in steps of 0.5 s": WhisperSettings(search_step=0.5),
    "short, 2 s of zeros, tail last 2 s, gated, searched in steps of 3 s": WhisperSettings(search_step=3.0),
}
QUICK_ROWS = tuple(ROWS)[:6]


@dataclass(frozen=True, slots=True)
class Measured:
    """One row: error rate in 0..1, utterances decoded twice, withdrawn utterances, and CPU seconds per audio second."""

    error_rate: float
    redecoded: int
    emptied: int
    encoder: float
    decoder: float


def measure(engine: WhisperEngine, clock: Clocked, speech: list[Utterance]) -> Measured:
    """Decode all of ``speech`` and compare with the reference. The encoded silence is prepared first."""
    normal = EnglishTextNormalizer()
    for utterance in speech:
        engine.prepare(utterance.pcm)
    clock.seconds.clear()
    found = [engine.decode([DecodeRequest(pcm=one.pcm, language="en", final=True)])[0] for one in speech]
    audio = sum(len(one.pcm) for one in speech) / SAMPLE_RATE
    spent = dict(clock.seconds)
    return Measured(
        jiwer.wer([normal(one.text) for one in speech], [normal(join(one.words, "en")) for one in found]),
        sum(one.redecoded for one in found),
        sum(not screen(one, len(said.pcm) / SAMPLE_RATE).words for one, said in zip(found, speech, strict=True)),
        spent.get("encode", 0.0) / audio,
        (spent.get("generate", 0.0) + spent.get("align", 0.0)) / audio,
    )


def main() -> None:
    """Print the Markdown table row by row."""
    parser = argparse.ArgumentParser(description="Word error rate and CPU seconds by the settings of windows.")
    parser.add_argument("--model", default="tiny.en", help="tiny.en, base, or a folder")
    parser.add_argument("--quick", action="store_true", help="a third of the speech and half of the rows")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    name = str(base_folder()) if options.model == "base" else options.model
    speech = [utterance for stem in (QUICK if options.quick else stems()) for utterance in utterances(stem)]
    audio = sum(len(one.pcm) for one in speech) / SAMPLE_RATE
    beams = f"{WhisperSettings().beam_size} beams unless stated otherwise"
    print(f"{options.model}, int8, {beams}, 1 thread: {len(speech)} utterances, {audio / 60:.1f} minutes\n")
    print("| window | WER | decoded twice | withdrawn | CPU s per audio s: encoder + decoder |")
    print("|---|---|---|---|---|")
    loaded = load_engine(name, device="cpu", threads=1)
    for label, settings in ROWS.items():
        if options.quick and label not in QUICK_ROWS:
            continue
        clock = Clocked(loaded.model)
        engine = WhisperEngine(
            clock, loaded.tokenizer, name=options.model, revision=loaded.revision, settings=replace(settings)
        )
        row = measure(engine, clock, speech)
        print(
            f"| {label} | {row.error_rate:.1%} | {row.redecoded} | {row.emptied} "
            f"| {row.encoder:.3f} + {row.decoder:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
