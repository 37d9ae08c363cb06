"""Erasure against word shown, by how calm captions are, and which words are taken back.

The live policy of one stream on a simulated clock: see ``bench.words.simulated``.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bench.capacity.recordings import Recording, bundled_talk, clip
from bench.words.corpus import SHARED
from bench.words.erasures import CAUSES, Erasure, erasures
from bench.words.models import load
from bench.words.simulated import Cost, Remembering, Sent, live, sent
from captions.audio import from_bytes
from captions.ports.engine import Engine, Hypothesis
from captions.quality import Arrival, measure, percentile, shown_words
from captions.stability import AGREEMENTS, Agreement, Stability
from inference.engine import WhisperEngine, WhisperSettings
from inference.settings import WorkerSettings

COSTS = {"tiny.en": Cost(fixed=0.06, per_second=0.01)}
SLOWER = Cost(fixed=0.12, per_second=0.02)
"""Of other models; base needs so long."""

READ = ("lj001_printing_chapter", "austen_sense_sensibility", "two_cities")
SPONTANEOUS = ("mfa_acoustic_corpus", "azure_katiesteve", "gcp_commercial_call_8k")
LONGEST = 130.0
"""Seconds of a recording that are used."""

Stream = tuple[Recording, Sequence[Sent]]


class Variant(NamedTuple):
    """A row of the curve. ``beams`` are those of partials that nothing waits for."""

    label: str
    agreement: Agreement
    beams: int = 2


FAST, BALANCED, CALM = (AGREEMENTS[name] for name in (Stability.FAST, Stability.BALANCED, Stability.CALM))
VARIANTS = (
    Variant("fast, greedy partials", FAST, beams=1),
    Variant("**fast**", FAST),
    Variant("balanced, greedy partials", BALANCED, beams=1),
    Variant("**balanced**", BALANCED),
    Variant("balanced, stable after 3", replace(BALANCED, stable=3)),
    Variant("balanced, stable after 3, 2 last words held back", replace(BALANCED, stable=3, held_back=2)),
    Variant("**calm**", CALM),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """One variant's figures over several recordings: seconds, and erased words by words of the finals."""

    word_shown: list[float]
    word_stable: list[float]
    first_partial: list[float]
    erasure: float
    raw_erasure: float
    changed: float
    found: list[Erasure]
    words: int

    @property
    def row(self) -> str:
        """The cells of a Markdown table."""
        spreads = (
            f"{percentile(values, 50):.2f} / {percentile(values, 95):.2f}"
            for values in (self.word_shown, self.word_stable, self.first_partial)
        )
        return " | ".join((*spreads, f"{self.erasure:.2f} / {self.raw_erasure:.2f}", f"{self.changed:.3f}"))


def streams(names: Sequence[str]) -> list[Stream]:
    """Recordings of ../shared/speech, or ``talk``, cut after ``LONGEST``, and their pieces."""
    found: list[Stream] = []
    for name in names:
        whole = bundled_talk() if name == "talk" else clip(SHARED / "speech" / f"{name}.flac")
        audio = from_bytes(whole.audio)[: round(LONGEST * 16_000)]
        words = [word for word in whole.words if word.end <= LONGEST]
        found.append((Recording(name, audio.tobytes(), words), sent(audio)))
    return found


def curve(engine: Engine, heard: Sequence[Stream], agreement: Agreement, cost: Cost) -> Curve:
    """Caption each of the recordings as one stream, and measure."""
    shown: list[float] = []
    stable: list[float] = []
    first: list[float] = []
    found: list[Erasure] = []
    words = 0
    counted = [0.0, 0.0]
    for recording, pieces in heard:
        arrivals = live(engine, pieces, WorkerSettings(agreement=agreement), cost)
        quality = measure(arrivals, recording.words)
        shown += quality.word_shown
        stable += quality.word_stable
        first += quality.first_partial
        found += erasures(arrivals)
        of_finals = _words(arrivals)
        words += of_finals
        counted[0] += quality.erasure * of_finals
        counted[1] += quality.raw_erasure * of_finals
    changed = sum(one.changed for one in found) / words
    return Curve(shown, stable, first, counted[0] / words, counted[1] / words, changed, found, words)


def print_table(model: str) -> None:
    """Print the curve of each kind of speech, and the causes of what is taken back."""
    loaded, cost = load(model), COSTS.get(model, SLOWER)
    known: dict[str, Hypothesis] = {}
    print(
        f"{model}, int8, one stream on a simulated clock: a decode takes {cost.fixed:g} s and {cost.per_second:g} s "
        "for each second of its audio. Seconds, p50 / p95.\n"
    )
    for kind, names in (("the talk", ("talk",)), ("read", READ), ("spontaneous", SPONTANEOUS)):
        heard = streams(names)
        print(f"| {kind} | word shown | word stable | first partial | erasure, words / raw | words changed |")
        print("|---|---|---|---|---|---|")
        kept = {}
        for label, agreement, beams in VARIANTS:
            engine = _with_beams(loaded, beams, known)
            kept[label] = curve(engine, heard, agreement, cost)
            print(f"| {label} | {kept[label].row} |", flush=True)
        print()
        print_causes(kind, kept["fast, greedy partials"], kept["**balanced**"])


def print_causes(kind: str, before: Curve, after: Curve) -> None:
    """Print how often each cause took words back in two variants, and how many words."""
    print(f"| {kind}: why words were taken back | fast, greedy | balanced | example |\n|---|---|---|---|")
    by_cause: dict[str, tuple[list[Erasure], list[Erasure]]] = defaultdict(lambda: ([], []))
    for column, of in enumerate((before, after)):
        for one in of.found:
            by_cause[one.cause][column].append(one)
    for cause in CAUSES:
        if cause in by_cause:
            cells = (
                f"{len(some)} x, {sum(one.counted for one in some)} counted, {sum(one.changed for one in some)} changed"
                for some in by_cause[cause]
            )
            example = next(one.example for some in by_cause[cause] for one in some)
            print(f"| {cause} | {' | '.join(cells)} | {example} |")
    print(flush=True)


def _words(arrivals: Sequence[Arrival]) -> int:
    return sum(len(shown_words(arrival.caption)) for arrival in arrivals if arrival.caption.final)


def _with_beams(loaded: WhisperEngine, beams: int, known: dict[str, Hypothesis]) -> Engine:
    engine = WhisperEngine(
        loaded.model,
        loaded.tokenizer,
        name=loaded.model_name,
        revision=loaded.revision,
        settings=WhisperSettings(unhurried_beam_size=beams),
    )
    return Remembering(engine, str(beams), known)
