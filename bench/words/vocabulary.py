"""Terms that are heard with a vocabulary and without, step by step, and the harm that terms do which nobody says."""

import asyncio
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice, pairwise

import numpy as np

from bench.clocked import Clocked, fixed_decode
from bench.vad import made_noise
from bench.words.corpus import silence_and_noise, speech
from bench.words.cuts import cuts
from bench.words.intervals import difference, interval
from bench.words.models import clocked, load
from bench.words.scoring import Score, score, tokens
from bench.words.voices import sentences, spoken, wrong_terms
from captions.audio import SAMPLE_RATE, Pcm
from captions.corrections import corrected
from captions.gates import screen
from captions.glossary import Glossary, glossary_of
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.probe import Probe
from captions.terms import Term
from captions.words import join
from inference.decoders import Decoder
from inference.decoding import Failed
from inference.engine import WhisperEngine, WhisperSettings
from inference.settings import WorkerSettings
from inference.terms import candidates, hear_terms, with_terms

NOISE_MINUTES = 15
MOST = 1000
Step = Callable[[WhisperEngine, Pcm, tuple[Term, ...]], Hypothesis]


@dataclass(frozen=True, slots=True)
class Said:
    """What was said, cut into utterances, and the terms in it."""

    text: str
    utterances: Sequence[Pcm]
    terms: tuple[Term, ...] = ()


def _request(pcm: Pcm, *vocabulary: str) -> DecodeRequest:
    return DecodeRequest(pcm=pcm, language="en", vocabulary=vocabulary, final=True)


def without(engine: WhisperEngine, pcm: Pcm, _: tuple[Term, ...]) -> Hypothesis:
    """No terms."""
    return engine.decode([_request(pcm)])[0]


def whole_list(engine: WhisperEngine, pcm: Pcm, terms: tuple[Term, ...]) -> Hypothesis:
    """The whole list as the prompt, as much of it as fits."""
    return engine.decode([_request(pcm, *(term.text for term in terms))])[0]


def few_terms(engine: WhisperEngine, pcm: Pcm, terms: tuple[Term, ...]) -> Hypothesis:
    """A second decode with the few terms that the first may have missed."""
    settings = WorkerSettings()
    first, request = without(engine, pcm, terms), _request(pcm)
    few = candidates(request, first, terms, settings.gates)
    if not few:
        return first
    return with_terms(request, first, engine.decode([_request(pcm, *(t.text for t in few))])[0], few, settings.gates)


def corrected_too(engine: WhisperEngine, pcm: Pcm, terms: tuple[Term, ...]) -> Hypothesis:
    """What workers do: the few terms, and near-misses corrected."""

    async def decode(requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        return engine.decode(requests)

    first, gates = without(engine, pcm, terms), WorkerSettings().gates
    hearing = hear_terms(Decoder(engine, decode), [_request(pcm)], [first], [terms], probe=Probe(), gates=gates)
    (found,) = asyncio.run(hearing)
    if isinstance(found, Failed):
        raise TypeError(found.reason)
    return found


def correction_alone(engine: WhisperEngine, pcm: Pcm, terms: tuple[Term, ...]) -> Hypothesis:
    """Near-misses of the first decode corrected."""
    first = without(engine, pcm, terms)
    return replace(first, words=corrected(first.words, glossary_of(terms)))


STEPS: dict[str, Step] = {
    "no terms": without,
    "the whole list as the prompt": whole_list,
    "correction alone": correction_alone,
    "a second decode with few terms": few_terms,
    "the same and correction (what workers do)": corrected_too,
}


def _label(step: Step) -> str:
    return next(name for name, one in STEPS.items() if one is step)


def holds(text: str, term: str) -> bool:
    """Whether a text has a term, however it is spaced."""
    return "".join(tokens(term, "en")) in "".join(tokens(text, "en"))


def text_of(step: Step, engine: WhisperEngine, said: Said, terms: tuple[Term, ...]) -> str:
    """The finals of what was said, as viewers get them."""
    found = [(step(engine, pcm, terms), len(pcm) / SAMPLE_RATE) for pcm in said.utterances]
    return " ".join(join(screen(one, seconds).words, "en") for one, seconds in found)


def print_table(model: str) -> None:
    """Print the tables of one model."""
    loaded = load(model)
    print(f"{model}, int8, 1 thread. A fixed decode takes {fixed_decode(loaded):.3f} CPU s.\n")
    told = sentences()
    rare = tuple(one.term for one in told)
    made = {
        voice: [
            Said(one.text, [cut.pcm for cut in cuts(pcm)], (one.term,)) for one, pcm in zip(told, audio, strict=True)
        ]
        for voice, audio in spoken(told).items()
    }
    corpus = _speech()
    wrong = _wrong(corpus)
    print(f"### {len(rare)} sentences with a rare term each, {len(wrong)} terms in the vocabulary\n")
    for voice, said in made.items():
        _print_recall(loaded, voice, said, lambda one: _with_others(one.terms, wrong, 200))
    print("### The same, by the length of the list\n")
    for voice, said in made.items():
        _print_lengths(loaded, voice, said, wrong)
    print("### ../shared/speech and speech2, their own rare words as the vocabulary\n")
    own = tuple({term.text: term for one in corpus for term in one.terms}.values())
    _print_recall(loaded, "people", [one for one in corpus if one.terms], lambda _: own)


def print_harm_table(model: str) -> None:
    """Print what terms do that nobody says, and how long a search takes."""
    loaded = load(model)
    print(f"{model}, int8, 1 thread. A fixed decode takes {fixed_decode(loaded):.3f} CPU s.\n")
    corpus = _speech()
    wrong = _wrong(corpus)
    _print_harm(loaded, corpus, wrong)
    _print_leaks(loaded, wrong)
    _print_lookup(loaded, corpus, wrong)


def _speech() -> list[Said]:
    return [Said(one.text, [cut.pcm for cut in cuts(one.pcm)], _rare(one.name, one.text)) for one in speech("en")]


def _wrong(corpus: Sequence[Said]) -> tuple[Term, ...]:
    """Terms that nobody says in the recordings."""
    terms = (*(one.term for one in sentences()), *wrong_terms())
    return tuple(term for term in terms if not any(holds(one.text, term.text) for one in corpus))


def _rare(name: str, text: str) -> tuple[Term, ...]:
    """The names and jargon of a recording that has some."""
    return tuple(Term(text=term) for term in RARE.get(name, ()) if holds(text, term))


RARE = {
    "en_riva_antiberta": ("AntiBERTa", "ABlooper"),
    "en_fleurs_02": ("Sintra", "Lord Byron"),
    "en_earnings22_4483589": ("TeamViewer",),
    "en_sense_0870": ("John Dashwood",),
    "austen_sense_sensibility": ("Dashwood", "Norland"),
    "azure_katiesteve": ("Contoso",),
    "en_pv_leopard": ("Quilter",),
}


def _with_others(terms: tuple[Term, ...], others: Sequence[Term], length: int) -> tuple[Term, ...]:
    """A list with so many terms, in an order that depends on the terms alone."""
    rest = [term for term in others if term not in terms]
    listed = [*terms, *rest[: max(0, length - len(terms))]]
    random.Random(terms[0].text).shuffle(listed)
    return tuple(listed)


def _print_recall(
    loaded: WhisperEngine, voice: str, said: Sequence[Said], vocabulary: Callable[[Said], tuple[Term, ...]]
) -> None:
    print(f"| {voice} | recall | precision | WER (95 %) | CPU s per audio s |\n|---|---|---|---|---|")
    audio = sum(len(pcm) for one in said for pcm in one.utterances) / SAMPLE_RATE
    for label, step in STEPS.items():
        engine, clock = clocked(loaded, WhisperSettings())
        texts = [text_of(step, engine, one, vocabulary(one)) for one in said]
        right, wrong, wanted = _terms_found(said, texts, vocabulary)
        precision = f"{100 * right / (right + wrong):.1f} %" if right + wrong else "-"
        rate = interval(_scored(said, texts))
        print(f"| {label} | {right} of {wanted} | {precision} | {rate} | {_cost(clock, audio)} |", flush=True)
    print()


def _terms_found(
    said: Sequence[Said], texts: Sequence[str], vocabulary: Callable[[Said], tuple[Term, ...]]
) -> tuple[int, int, int]:
    """Terms that were said and found, that were found and not said, and that were said."""
    right = wrong = wanted = 0
    for one, text in zip(said, texts, strict=True):
        for term in vocabulary(one):
            was_said, was_found = _as_words(one.text, term.text), _as_words(text, term.text)
            wanted += was_said
            right += was_said and (was_found or holds(text, term.text))
            wrong += was_found and not was_said
    return right, wrong, wanted


def _as_words(text: str, term: str) -> bool:
    return f" {' '.join(tokens(term, 'en'))} " in f" {' '.join(tokens(text, 'en'))} "


def _scored(said: Sequence[Said], texts: Sequence[str]) -> Score:
    return Score.of([score(one.text, text, "en") for one, text in zip(said, texts, strict=True)])


def _cost(clock: Clocked, audio: float) -> str:
    return f"{sum(clock.seconds.values()) / audio:.3f}"


def _print_lengths(loaded: WhisperEngine, voice: str, said: Sequence[Said], wrong: Sequence[Term]) -> None:
    print(f"| {voice}: terms in the list | recall, whole list as the prompt | recall, what workers do |\n|---|---|---|")
    for length in (10, 70, 200):
        found = [
            sum(
                holds(text_of(step, loaded, one, _with_others(one.terms, wrong, length)), one.terms[0].text)
                for one in said
            )
            for step in (whole_list, corrected_too)
        ]
        print(f"| {length} | {found[0]} of {len(said)} | {found[1]} of {len(said)} |", flush=True)
    print()


def _print_harm(loaded: WhisperEngine, corpus: Sequence[Said], wrong: tuple[Term, ...]) -> None:
    print(f"### Ordinary speech with a vocabulary of {len(wrong)} terms that nobody says\n")
    print("| | WER (95 %) | minus that without terms, points (95 %) | wrong terms | CPU s per audio s |")
    print("|---|---|---|---|---|")
    audio = sum(len(pcm) for one in corpus for pcm in one.utterances) / SAMPLE_RATE
    baseline: Score | None = None
    for step in (without, whole_list, corrected_too):
        engine, clock = clocked(loaded, WhisperSettings())
        texts = [text_of(step, engine, one, wrong) for one in corpus]
        found = _scored(corpus, texts)
        baseline = baseline or found
        leaked = sum(_as_words(text, term.text) for text in texts for term in wrong)
        points = difference(found, baseline).points
        print(f"| {_label(step)} | {interval(found)} | {points} | {leaked} | {_cost(clock, audio)} |", flush=True)
    print()


def _print_leaks(loaded: WhisperEngine, wrong: tuple[Term, ...]) -> None:
    """Windows of noise are decoded whether or not a detector would take them for speech."""
    sounds = [one.pcm for one in silence_and_noise()] + [one.pcm for one in made_noise().values()]
    silence = np.zeros(10 * SAMPLE_RATE, dtype=np.int16)
    windows = [w for pcm in (*sounds, silence) for w in _windows(pcm)]
    shifted = [np.roll(pcm, 1600 * (number // len(windows) + 1)) for number, pcm in _numbered(windows)]
    print(f"### {sum(map(len, shifted)) / SAMPLE_RATE / 60:.0f} minutes of silence, noise and music\n")
    print("| | windows with words | with a term |\n|---|---|---|")
    for step in (whole_list, corrected_too):
        texts = [text_of(step, loaded, Said("", [pcm]), wrong) for pcm in shifted]
        leaked = [text for text in texts if any(_as_words(text, term.text) for term in wrong)]
        print(f"| {_label(step)} | {sum(map(bool, texts))} of {len(texts)} | {len(leaked)} |", flush=True)
    print()


def _windows(pcm: Pcm) -> list[Pcm]:
    """Windows of 2 to 6 seconds, as utterances have."""
    edges, lengths = [0], cycle((3, 5, 2, 6, 4))
    while edges[-1] + 2 * SAMPLE_RATE <= len(pcm):
        edges.append(min(len(pcm), edges[-1] + next(lengths) * SAMPLE_RATE))
    return [pcm[start:end] for start, end in pairwise(edges)]


def _numbered(windows: Sequence[Pcm]) -> list[tuple[int, Pcm]]:
    """The windows again and again, numbered, until there are enough minutes."""
    rounds = -(-NOISE_MINUTES * 60 * SAMPLE_RATE // sum(map(len, windows)))
    return list(enumerate(islice(cycle(windows), rounds * len(windows))))


def _print_lookup(loaded: WhisperEngine, corpus: Sequence[Said], wrong: tuple[Term, ...]) -> None:
    made_up = random.Random(15)
    syllables = re.findall("..", "bakedilofumenipatorusizovagehijo")
    more = ("".join(made_up.choices(syllables, k=made_up.choice((2, 3, 4)))).title() for _ in range(MOST))
    terms = (*wrong, *(Term(text=text) for text in more))[:MOST]
    began = time.process_time()
    glossary = Glossary(terms)
    built = time.process_time() - began
    heard = [without(loaded, pcm, ()).words for one in corpus[::3] for pcm in one.utterances]
    took = []
    for words in heard:
        began = time.process_time()
        glossary.candidates(words)
        took.append(1000 * (time.process_time() - began))
    length = np.mean([len(words) for words in heard])
    p50, p95 = np.percentile(took, (50, 95))
    print(f"A search among {len(terms)} terms takes {p50:.2f} ms (p95 {p95:.2f} ms) for {length:.0f} words.")
    print(f"The index is built in {1000 * built:.1f} ms.")
