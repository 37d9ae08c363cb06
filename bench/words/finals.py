"""Finals against windows of 30 s with 5 beams, utterance by utterance as the gateway cuts them.

``python -m bench.words.finals --variants 6 --all-rows`` decodes each utterance in six variants, which count as more
blocks of the same reference, and compares more settings.
"""

import argparse
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain

import structlog

from bench.clocked import fixed_decode
from bench.words.corpus import Recording, speech
from bench.words.cuts import Cut, cuts
from bench.words.heard import VARIANTS
from bench.words.intervals import difference, interval
from bench.words.models import clocked, load
from bench.words.scoring import Score, score
from captions.audio import SAMPLE_RATE
from captions.gates import screen
from captions.ports.engine import DecodeRequest
from captions.words import join
from inference.engine import WhisperEngine, WhisperSettings

DEFAULTS = WhisperSettings()
SHORT = replace(DEFAULTS, final_window="short")
ROWS = {
    "30 s with 5 beams, as everybody does": WhisperSettings(final_window="full", gated=False, beam_size=5),
    "the defaults": DEFAULTS,
    '`final_window = "short"`, 2 beams': replace(SHORT, beam_size=2),
}
"""The first is what the others are compared with."""

MORE_ROWS = {
    "no second look": replace(DEFAULTS, gated=False),
    '`final_window = "short"`': SHORT,
    "2 beams": replace(DEFAULTS, beam_size=2),
    "4 s of zeros": replace(DEFAULTS, final_zeros=4.0),
    "tail last 2 s": replace(DEFAULTS, final_tail=2.0),
    "doubtful under -0.4": replace(DEFAULTS, doubtful=-0.4),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """The errors of one row, the share of finals that were decoded again, and CPU seconds per second of audio."""

    score: Score
    again: float
    cost: float


def text_of(engine: WhisperEngine, utterances: Iterable[Cut], language: str) -> str:
    """The finals of a recording, screened as viewers get them, as one text."""
    return _texts(engine, utterances, language)[0]


def measure(base: WhisperEngine, settings: WhisperSettings, said: list[tuple[Recording, list[list[Cut]]]]) -> Measured:
    """Decode all variants of all utterances, and screen them as viewers get them."""
    engine, clock = clocked(base, settings)
    for _, variants in said:
        for one in chain.from_iterable(variants):
            engine.prepare(one.pcm)
    clock.seconds.clear()
    scores, again = [], 0
    for recording, variants in said:
        heard = []
        for utterances in variants:
            text, redecoded = _texts(engine, utterances, recording.language)
            heard.append(score(recording.text, text, recording.language))
            again += redecoded
        scores.append(sum(heard[1:], heard[0]))
    finals = sum(len(utterances) for _, variants in said for utterances in variants)
    audio = sum(recording.seconds * len(variants) for recording, variants in said)
    return Measured(Score.of(scores), again / finals, sum(clock.seconds.values()) / audio)


def _texts(engine: WhisperEngine, utterances: Iterable[Cut], language: str) -> tuple[str, int]:
    """The text of these finals, and how many of them were decoded again."""
    texts, again = [], 0
    for one in utterances:
        (found,) = engine.decode([DecodeRequest(pcm=one.pcm, language=language, final=True)])
        texts.append(join(screen(found, len(one.pcm) / SAMPLE_RATE).words, language))
        again += found.redecoded
    return " ".join(texts), again


def print_rows(
    base: WhisperEngine, recordings: list[Recording], variants: int, rows: dict[str, WhisperSettings]
) -> None:
    """Print a table of these recordings, row by row."""
    chosen = list(VARIANTS.items())[:variants]
    said = []
    for one in recordings:
        utterances = cuts(one.pcm)
        said.append((one, [make(one.pcm, utterances) for _, make in chosen]))
    minutes = sum(one.seconds for one in recordings) / 60
    languages = ", ".join(sorted({one.language for one in recordings}))
    print(
        f"\n{base.model_name}, int8, 1 thread: {languages}: {len(recordings)} recordings, {minutes:.1f} minutes, "
        f"each utterance {', '.join(name for name, _ in chosen)}\n"
    )
    print("| window | WER (95 %) | minus that of 30 s, points (95 %) | decoded twice | CPU s per audio s |")
    print("|---|---|---|---|---|")
    baseline: Score | None = None
    for label, settings in rows.items():
        row = measure(base, settings, said)
        baseline = baseline or row.score
        print(
            f"| {label} | {interval(row.score)} | {difference(row.score, baseline).points} "
            f"| {row.again:.0%} | {row.cost:.3f} |",
            flush=True,
        )


def print_table(model: str, variants: int = 2, rows: dict[str, WhisperSettings] | None = None) -> None:
    """Print the tables of one model: English, and the other languages that it knows."""
    base = load(model)
    print(f"A fixed decode by {model} takes {fixed_decode(base):.3f} CPU s.")
    recordings = speech()
    print_rows(base, [one for one in recordings if one.language == "en"], variants, rows or ROWS)
    if base.multilingual:
        print_rows(base, [one for one in recordings if one.language != "en"], variants, rows or ROWS)


def main() -> None:
    """Print the tables with more variants and rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", help="tiny.en, base, or a folder; both without any")
    parser.add_argument("--variants", type=int, default=2, help=f"the first so many of: {', '.join(VARIANTS)}")
    parser.add_argument("--all-rows", action="store_true", help="also settings that were tried and not chosen")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for model in options.model or ("tiny.en", "base"):
        print_table(model, options.variants, ROWS | MORE_ROWS if options.all_rows else ROWS)


if __name__ == "__main__":
    main()
