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
DEFAULTS = WhisperSettings()


LESS = replace(DEFAULTS, final_window="short")
BARE = replace(DEFAULTS, final_zeros=0.6, final_tail=0.0, short=0.0, gated=False)

ROWS: dict[str, WhisperSettings] = {
    "30 s with 5 beams, as everybody does": FULL,
    "the defaults": DEFAULTS,
    "no second look": replace(DEFAULTS, gated=False),
    "2 s of zeros, tail last 2 s": LESS,
    "2 s of zeros, tail last 2 s, 2 beams": replace(LESS, beam_size=2),
    "0.6 s of zeros, no tail, no second look": BARE,
    "2 s of zeros": replace(DEFAULTS, final_zeros=2.0),
    "4 s of zeros": replace(DEFAULTS, final_zeros=4.0),
    "tail last 2 s": replace(DEFAULTS, final_tail=2.0),
    "no tail": replace(DEFAULTS, final_tail=0.0),
    "greedy": replace(DEFAULTS, beam_size=1),
    "2 beams": replace(DEFAULTS, beam_size=2),
    "3 beams": replace(DEFAULTS, beam_size=3),
    "steps of 1 s": replace(DEFAULTS, step=1.0),
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
    beams = f"{DEFAULTS.beam_size} beams unless stated otherwise"
    print(f"{options.model}, int8, {beams}, 1 thread: {len(speech)} utterances, {audio / 60:.1f} minutes\n")
    print("| window | WER | decoded twice | withdrawn | CPU s per audio s: encoder + decoder |")
    print("|---|---|---|---|---|")
    loaded = load_engine(name, device="cpu", threads=1)
    for label, settings in ROWS.items():
        if options.quick and label not in QUICK_ROWS:
            continue
        clock = Clocked(loaded.model)
        engine = WhisperEngine(clock, loaded.tokenizer, name=options.model, revision=loaded.revision, settings=settings)
        row = measure(engine, clock, speech)
        print(
            f"| {label} | {row.error_rate:.1%} | {row.redecoded} | {row.emptied} "
            f"| {row.encoder:.3f} + {row.decoder:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
