"""Finals in languages other than English: short windows against 30 s with 5 beams, and languages that are found out.

There are minutes of each language, not hours: intervals say what that is worth. Each utterance is heard three times,
which takes some of the chance of a single decode out: as it was cut, half as loud, and cut a little later.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bench.words.corpus import Recording, speech
from bench.words.cuts import cuts
from bench.words.intervals import difference, interval
from bench.words.models import load
from bench.words.scoring import Score, score
from captions.audio import Pcm, to_samples, to_seconds
from captions.gates import screen
from captions.language import AUTO
from captions.language_choice import Heard
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.words import join
from inference.engine import WhisperEngine, WhisperSettings

FULL = "30 s with 5 beams"
LATER = to_samples(0.08)
"""Samples by which the third hearing begins later, within the silence in front."""
SHORT = 1.0
"""Seconds of the beginnings that stand for short words between sentences."""
TALKS = 200
BLOCK_SECONDS = 20.0
LANGUAGES_OF_TALK = 3
SEED = 15


@dataclass(frozen=True, slots=True)
class Hearing:
    """One hearing of a recording: its texts with the language given and found out, and the languages found."""

    given: str
    full: str
    auto: str
    found: tuple[str, ...]


class Row(NamedTuple):
    """The scores of a recording, and how many of its utterances were found to be in its language."""

    full: Score
    given: Score
    auto: Score
    right: int
    utterances: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """An utterance: its seconds, and the probabilities of languages, of all of it and of its first second alone."""

    seconds: float
    probabilities: Mapping[str, float]
    beginning: Mapping[str, float]


def print_table(model: str) -> None:
    """Print the tables of one model; nothing to measure in one that knows English only."""
    loaded = load(model)
    if not loaded.multilingual:
        print(f"{model} knows English only.")
        return
    engines = Engines(loaded)
    recordings = [one for one in speech() if one.language != "en"]
    print(f"{model}, int8, 1 thread: {len(recordings)} recordings, heard three times\n")
    print(
        f"| language | words | {FULL} | the defaults | difference, points (95 %) "
        "| language found out, minus given | utterances in the right one |\n|---|---|---|---|---|---|---|"
    )
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for one in recordings:
        rows[one.language].append(_row(engines, one))
    for language, found in rows.items():
        print(_line(language, found), flush=True)
    print(_line("all", [row for found in rows.values() for row in found]))
    print_followed(engines)


class Engines:
    """The same model at 30 s and with the defaults."""

    def __init__(self, loaded: WhisperEngine) -> None:
        self.short = loaded
        settings = WhisperSettings(final_window="full", gated=False, beam_size=5)
        self.full = WhisperEngine(
            loaded.model, loaded.tokenizer, name=loaded.model_name, revision=loaded.revision, settings=settings
        )


def decode(engine: WhisperEngine, pcm: Pcm, language: str, *, final: bool = True) -> Hypothesis:
    """One utterance, with the probabilities of all languages."""
    (found,) = engine.decode([DecodeRequest(pcm=pcm, language=language, detected=True, final=final)])
    return found


def _row(engines: Engines, one: Recording) -> Row:
    heard = [_hearing(engines, one, pcms) for pcms in zip(*(_variants(cut.pcm) for cut in cuts(one.pcm)), strict=True)]
    given, full, auto = (
        _together(score(one.text, text, one.language) for text in texts)
        for texts in ([h.given for h in heard], [h.full for h in heard], [h.auto for h in heard])
    )
    found = [language for hearing in heard for language in hearing.found]
    return Row(full, given, auto, found.count(one.language), len(found))


def _hearing(engines: Engines, one: Recording, utterances: Sequence[Pcm]) -> Hearing:
    """A recording is a session: what was heard before counts."""
    state = Heard()
    given, full, auto, languages = [], [], [], []
    for pcm in utterances:
        found = decode(engines.short, pcm, one.language)
        speech_seconds = to_seconds(len(pcm)) * (1 - found.no_speech_probability) if found.words else 0.0
        state = state.after(found.language_probabilities, speech_seconds)
        language = state.best(found.language_probabilities, speech_seconds) or one.language
        languages.append(language)
        given.append(_text(pcm, found))
        full.append(_text(pcm, decode(engines.full, pcm, one.language)))
        auto.append(given[-1] if language == one.language else _text(pcm, decode(engines.short, pcm, language)))
    return Hearing(" ".join(given), " ".join(full), " ".join(auto), tuple(languages))


def _variants(pcm: Pcm) -> tuple[Pcm, ...]:
    return pcm, np.round(pcm.astype(np.float32) / 2).astype(np.int16), pcm[LATER:]


def _text(pcm: Pcm, found: Hypothesis) -> str:
    return join(screen(found, to_seconds(len(pcm))).words, found.language)


def _together(scores: Iterable[Score]) -> Score:
    first, *others = scores
    for other in others:
        first += other
    return first


def _line(label: str, rows: Sequence[Row]) -> str:
    full, given, auto = (
        Score.of(list(scores)) for scores in zip(*((r.full, r.given, r.auto) for r in rows), strict=True)
    )
    right, utterances = sum(row.right for row in rows), sum(row.utterances for row in rows)
    words = int(full.words.sum()) // 3
    return (
        f"| {label} | {words} | {interval(full)} | {interval(given)} | {difference(given, full).points} "
        f"| {difference(auto, given).points} | {right} of {utterances} |"
    )


def print_followed(engines: Engines) -> None:
    """Print how a change of language is followed, in talks joined from the recordings."""
    spoken: defaultdict[str, list[list[Spoken]]] = defaultdict(list)
    for one in speech():
        spoken[one.language].append([_spoken(engines.short, cut.pcm) for cut in cuts(one.pcm)])
    print(
        f"\n{TALKS} talks joined from the recordings, {LANGUAGES_OF_TALK} languages each, {BLOCK_SECONDS:g} s of each, "
        f"beginnings of {SHORT:g} s between the sentences\n"
    )
    print(
        "| language of an utterance | seconds in a wrong language | short words in a wrong one, after a sentence "
        "| session follows after, p50 / p95 |\n|---|---|---|---|"
    )
    for among in ("all", "those of the talk"):
        for label, session in (("found anew each time", False), ("of the session", True)):
            print(f"| {label}, among {among} | {_followed(spoken, session=session, among=among)} |", flush=True)


def _spoken(engine: WhisperEngine, pcm: Pcm) -> Spoken:
    beginning = decode(engine, pcm[: to_samples(SHORT)], AUTO, final=False)
    whole = decode(engine, pcm, AUTO, final=False)
    return Spoken(to_seconds(len(pcm)), whole.language_probabilities, beginning.language_probabilities)


def _followed(spoken: Mapping[str, Sequence[Sequence[Spoken]]], *, session: bool, among: str) -> str:
    chance = random.Random(SEED)
    seconds: list[tuple[float, bool]] = []
    short: list[bool] = []
    delays: list[float] = []
    for _ in range(TALKS):
        order = chance.sample(sorted(spoken), LANGUAGES_OF_TALK)
        state = Heard()
        for language in order:
            since, followed, sentence = 0.0, None, False
            for length, probabilities in _block(spoken[language], chance):
                asked = probabilities if among == "all" else _among(probabilities, order)
                state = state.after(asked, length)
                since += length
                chosen = state.best(asked, length) if session else max(asked, key=asked.__getitem__)
                if length > SHORT:
                    seconds.append((length, chosen == language))
                    sentence = True
                elif sentence:
                    short.append(chosen == language)
                followed = since if followed is None and state.language == language else followed
            delays.append(since if followed is None else followed)
    wrong = sum(length for length, right in seconds if not right) / sum(length for length, _ in seconds)
    p50, p95 = np.percentile(delays, (50, 95))
    after = f"{p50:.1f} / {p95:.1f} s" if session else ""
    return f"{100 * wrong:.1f} % | {100 * (1 - sum(short) / len(short)):.1f} % | {after}"


def _block(recordings: Sequence[Sequence[Spoken]], chance: random.Random) -> list[tuple[float, Mapping[str, float]]]:
    """Utterances of one language, and short words before half of them."""
    found: list[tuple[float, Mapping[str, float]]] = []
    while sum(length for length, _ in found) < BLOCK_SECONDS:
        for one in chance.choice(recordings):
            if chance.random() < 1 / 2:
                found.append((SHORT, one.beginning))
            found.append((one.seconds, one.probabilities))
    return found


def _among(probabilities: Mapping[str, float], languages: Sequence[str]) -> dict[str, float]:
    total = sum(probabilities[language] for language in languages)
    return {language: probabilities[language] / total for language in languages}
