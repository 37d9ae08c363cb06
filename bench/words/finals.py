"""Finals against windows of 30 s with 5 beams, utterance by utterance as the gateway cuts them."""

from collections.abc import Iterable

from bench.clocked import fixed_decode
from bench.words.corpus import Recording, speech
from bench.words.cuts import Cut, cuts
from bench.words.intervals import difference, interval
from bench.words.models import clocked, load
from bench.words.scoring import Score, score
from captions.audio import SAMPLE_RATE
from captions.gates import screen
from captions.ports.engine import DecodeRequest
from captions.words import join
from inference.engine import WhisperEngine, WhisperSettings

FULL = "30 s with 5 beams, as everybody does"
ROWS = {
    FULL: WhisperSettings(final_window="full", gated=False, beam_size=5),
    "the defaults": WhisperSettings(),
}


def text_of(engine: WhisperEngine, utterances: Iterable[Cut], language: str) -> str:
    """The finals of a recording, screened as viewers get them, as one text."""
    texts = []
    for one in utterances:
        (found,) = engine.decode([DecodeRequest(pcm=one.pcm, language=language, final=True)])
        texts.append(join(screen(found, len(one.pcm) / SAMPLE_RATE).words, language))
    return " ".join(texts)


def print_table(model: str) -> None:
    """Print the table of one model, row by row."""
    recordings: list[tuple[Recording, list[Cut]]] = [(one, cuts(one.pcm)) for one in speech("en")]
    audio = sum(one.seconds for one, _ in recordings)
    loaded = load(model)
    words = sum(len(one.text.split()) for one, _ in recordings)
    print(f"{model}, int8, 1 thread: {len(recordings)} English recordings, {audio / 60:.1f} minutes, {words} words")
    print(f"A fixed decode takes {fixed_decode(loaded):.3f} CPU s.\n")
    print("| window | WER (95 %) | minus that of 30 s, points (95 %) | CPU s per audio s |\n|---|---|---|---|")
    baseline: Score | None = None
    for label, settings in ROWS.items():
        engine, clock = clocked(loaded, settings)
        for _, utterances in recordings:
            for one in utterances:
                engine.prepare(one.pcm)
        clock.seconds.clear()
        found = Score.of([score(one.text, text_of(engine, said, "en"), "en") for one, said in recordings])
        baseline = baseline or found
        cost = sum(clock.seconds.values()) / audio
        print(f"| {label} | {interval(found)} | {difference(found, baseline).points} | {cost:.3f} |", flush=True)
