"""Finals by condition: how people speak, where, and over what."""

from bench.clocked import fixed_decode
from bench.vad import Recording as Timed
from bench.vad import load as timed
from bench.words.corpus import SHARED, speech
from bench.words.cuts import cuts
from bench.words.finals import text_of
from bench.words.intervals import interval
from bench.words.models import load
from bench.words.scoring import Score, score
from captions.audio import Pcm
from inference.engine import WhisperEngine

KINDS = {
    "read aloud": ("read", "read-literary", "read-long-sentence", "long-monologue"),
    "read with an accent, names": ("read-accent/names", "read/names", "read+numbers"),
    "technical and medical terms": ("domain-terms",),
    "spontaneous, several speakers": ("spontaneous/disfluent", "multi-speaker"),
    "telephone call with an accent": ("phone-call/accent/numbers",),
    "numbers and commands": ("numbers", "numbers/noisy"),
    "noise and reverberation in the room": ("noisy(added)", "far-field(simulated reverb)"),
}
"""Conditions of English recordings, by the kinds of the manifest."""

MADE = ("azure_katiesteve", "jfk_inaugural", "moby_dick_1", "two_cities")
"""Clean recordings that are made worse."""
NOISE = "noise1"


def print_table(model: str) -> None:
    """Print the table of one model: error rates of finals, with the default settings."""
    engine = load(model)
    print(f"{model}, int8, finals with the default settings. A fixed decode takes {fixed_decode(engine):.3f} CPU s.\n")
    print("| condition (English) | words | WER (95 %) |\n|---|---|---|")
    recordings = speech("en")
    for condition, kinds in KINDS.items():
        _row(condition, [_scored(engine, one.pcm, one.text) for one in recordings if one.kind in kinds])
    texts = {one.name: one.text for one in recordings}
    clean = {name: timed(SHARED / "speech" / f"{name}.flac") for name in MADE}
    noise = timed(SHARED / "noise" / f"{NOISE}.flac").pcm
    for condition, pcms in _made(clean, noise).items():
        _row(condition, [_scored(engine, pcm, texts[name]) for name, pcm in pcms.items()])


def _made(clean: dict[str, Timed], noise: Pcm) -> dict[str, dict[str, Pcm]]:
    made = {"four of these, clean": {name: one.pcm for name, one in clean.items()}}
    for ratio in (20, 10, 5, 0):
        made[f"the same with noise {ratio} dB below the words"] = {
            name: one.in_noise(noise, ratio).pcm for name, one in clean.items()
        }
    made["the same 30 dB quieter"] = {name: one.quieter(30).pcm for name, one in clean.items()}
    made["the same over a telephone, 8 kHz mu-law"] = {name: one.telephoned().pcm for name, one in clean.items()}
    return made


def _scored(engine: WhisperEngine, pcm: Pcm, text: str) -> Score:
    said = cuts(pcm)
    for one in said:
        engine.prepare(one.pcm)
    return score(text, text_of(engine, said, "en"), "en")


def _row(condition: str, scores: list[Score]) -> None:
    found = Score.of(scores)
    print(f"| {condition} | {found.words.sum()} | {interval(found)} |", flush=True)
