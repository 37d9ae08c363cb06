"""Accuracy on single words, short phrases and repeated phrases: ``python -m bench.short``.

The clips are cut from human speech by word times and padded with pauses as the segmenter does. Each row decodes all
clips as finals, one at a time, on one thread. "Right": the text equals the reference after OpenAI's English normaliser.
"Twice": something is repeated that was said once. "Lost": words that were said and that the gates withdrew. CPU seconds
are those of a whole decode.
"""

import argparse
import logging
import time
from dataclasses import dataclass, replace

import jiwer
import structlog
from whisper_normalizer.english import EnglishTextNormalizer

from bench.models import base_folder
from bench.spoken import Utterance, between_pauses, phrases, repeated
from captions.audio import SAMPLE_RATE
from captions.gates import screen
from captions.loops import repetition
from captions.ports.engine import DecodeRequest
from captions.words import join
from inference.engine import WhisperEngine, WhisperSettings, load_engine

DEFAULTS = WhisperSettings()
AS_PARTIALS = replace(DEFAULTS, final_window="short", beam_size=2, gated=False)
ROWS: dict[str, WhisperSettings] = {
    "30 s with 5 beams, as everybody does": WhisperSettings(final_window="full", gated=False, beam_size=5),
    "the defaults": DEFAULTS,
    "no second look": replace(DEFAULTS, gated=False),
    "windows of partials, 2 beams": AS_PARTIALS,
    "windows of partials, 2 beams, 2 s of zeros": replace(AS_PARTIALS, short=0.0),
    "windows of partials, 2 beams, 4 s of zeros": replace(AS_PARTIALS, short_zeros=4.0),
    "partials": replace(AS_PARTIALS, beam_size=1),
    "partials, 2 s of zeros": replace(AS_PARTIALS, beam_size=1, short=0.0),
}
LOUDER = (1.0, 0.25, 2.0)
"""The loudness factors at which every clip is decoded, to reduce the influence of chance."""

_normal = EnglishTextNormalizer()


@dataclass(slots=True)
class Counts:
    """The results of one row. ``wrong`` counts substituted, deleted and inserted words."""

    right: int = 0
    twice: int = 0
    wrong: int = 0
    lost: int = 0
    seconds: float = 0.0


def words_of(text: str) -> list[str]:
    """The words of ``text`` in normalised form."""
    return [word for word in _normal(text).split() if word != "."]


def louder(utterance: Utterance, by: float) -> Utterance:
    """The utterance with its samples multiplied by ``by``."""
    return replace(utterance, pcm=(utterance.pcm * by).clip(-32768, 32767).astype("int16"))


def measure(engine: WhisperEngine, said: list[Utterance]) -> Counts:
    """Decode and screen all of them."""
    counts = Counts()
    for one in said:
        began = time.process_time()
        (found,) = engine.decode([DecodeRequest(pcm=one.pcm, language="en", final=True)])
        counts.seconds += (time.process_time() - began) / len(said)
        screened = screen(found, len(one.pcm) / SAMPLE_RATE).words
        expected, shown = words_of(one.text), words_of(join(screened, "en"))
        counts.right += shown == expected
        counts.twice += repetition(shown) is not None and repetition(expected) is None
        counts.lost += len(words_of(join(found.words, "en"))) - len(shown)
        errors = jiwer.process_words(" ".join(expected) or "-", " ".join(shown))
        counts.wrong += errors.substitutions + errors.deletions + errors.insertions
    return counts


def main() -> None:
    """Print the Markdown tables."""
    parser = argparse.ArgumentParser(description="Accuracy on single words, short phrases and repetitions.")
    parser.add_argument("--model", default="tiny.en", help="tiny.en, base, or a folder")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    name = str(base_folder()) if options.model == "base" else options.model
    cut = [one for one in phrases(gap=0.06, most_words=5) if words_of(one.text)]
    heard = {
        "single words": [replace(one, pcm=between_pauses(one.pcm)) for one in cut if " " not in one.text],
        "two to five words": [replace(one, pcm=between_pauses(one.pcm)) for one in cut if " " in one.text],
        "said three to eight times, then something else": [
            repeated(one, 3 + i % 6, then=cut[(i + 1) % len(cut)]) for i, one in enumerate(cut) if len(one.pcm) < 24_000
        ],
    }
    loaded = load_engine(name, device="cpu", threads=1)
    for what, originals in heard.items():
        said = [louder(one, by) for one in originals for by in (LOUDER if "times" not in what else (1.0,))]
        count = sum(len(words_of(one.text)) for one in said)
        print(f"\n{options.model}, int8, 1 thread: {what}, {len(said)} clips, {count} words\n")
        print("| window | right | words wrong | twice | lost | CPU s a clip |\n|---|---|---|---|---|---|")
        for label, settings in ROWS.items():
            engine = WhisperEngine(
                loaded.model, loaded.tokenizer, name=options.model, revision=loaded.revision, settings=settings
            )
            for one in said:
                engine.prepare(one.pcm)
            row = measure(engine, said)
            print(
                f"| {label} | {row.right} | {row.wrong} | {row.twice} | {row.lost} | {row.seconds:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
