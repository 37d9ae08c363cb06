"""Terms heard by a second decode: when there is one, which result is kept, and that live finals get it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from bench.spoken import utterances
from captions.errors import EngineError
from captions.ports.engine import DecodeRequest, Engine, Hypothesis
from captions.ports.probe import Probe
from captions.records import AUDIO, CAPTIONS, PARTIALS, write_audio
from captions.terms import Term
from captions.words import Word, join
from inference.decoders import Decoder
from inference.decoding import Failed, decode_each
from inference.engine import WhisperEngine
from inference.engine.scripted import ScriptedEngine, ScriptedWord, scripted_audio
from inference.settings import WorkerSettings
from inference.terms import GAINED_BY_TERMS, GAINED_IN_ALL, hear_terms
from tests.inference.speaking import SESSION, segments
from tests.support import inline, memory_log, terms, told, worker_on

SECONDS = 4
FIRST = "a Lavenstein distance is short"
SECOND = "a Levenshtein distance is short"
OTHERS = terms("Zanzibar", "Goethe", "Oslo", "Fjord", "Umlaut", "Ouagadougou", "Tchaikovsky", "Ypres")
VOCABULARY = (*terms("Levenshtein", "Kubernetes"), *OTHERS)


def hypothesis(text: str, likelihood: float = -0.3, confidence: float = 0.7, no_speech: float = 0.0) -> Hypothesis:
    words = (Word(word, i * 0.4, i * 0.4 + 0.3, confidence) for i, word in enumerate(text.split()))
    return Hypothesis(
        words=tuple(words), language="en", mean_log_probability=likelihood, no_speech_probability=no_speech
    )


class TwoFaced:
    """Hears one thing without a vocabulary and another with it; fails where there is no second."""

    model_name, revision, decoders = "two-faced", "0" * 12, 1

    def __init__(self, first: Hypothesis, second: Hypothesis | None) -> None:
        self._first, self._second = first, second
        self.batches: list[list[DecodeRequest]] = []

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        self.batches.append(list(requests))
        found = [self._second if request.vocabulary else self._first for request in requests]
        if None in found:
            raise EngineError("scripted to fail")
        return [one for one in found if one is not None]

    def batch_key(self, samples: int, *, final: bool) -> None:  # noqa: ARG002 - as the port has it
        return None


def request(*, final: bool = True) -> DecodeRequest:
    return DecodeRequest(pcm=np.ones(SECONDS * 16_000, dtype=np.int16), language="en", final=final)


async def decoded(
    engine: Engine, requests: Sequence[DecodeRequest], vocabularies: Sequence[tuple[Term, ...]]
) -> list[Hypothesis | Failed]:
    decoder, probe = Decoder(engine, inline(engine)), Probe()
    first = await decode_each(decoder, requests, probe, 3)
    return await hear_terms(decoder, requests, first, vocabularies, probe=probe, gates=WorkerSettings().gates)


async def heard(engine: TwoFaced, *vocabularies: tuple[Term, ...], final: bool = True) -> list[Hypothesis | Failed]:
    return await decoded(engine, [request(final=final) for _ in vocabularies], vocabularies)


def text(result: Hypothesis | Failed) -> str:
    assert isinstance(result, Hypothesis)
    return join(result.words, "en")


async def test_a_final_is_decoded_again_with_its_few_terms_and_the_more_probable_kept() -> None:
    engine = TwoFaced(hypothesis(FIRST), hypothesis(SECOND, likelihood=-0.2))
    (found,) = await heard(engine, VOCABULARY)
    assert text(found) == SECOND
    assert [[one.vocabulary for one in batch] for batch in engine.batches] == [[()], [("Levenshtein",)]]


@pytest.mark.parametrize(("gained", "shown"), [(GAINED_IN_ALL + 0.1, SECOND), (GAINED_IN_ALL - 0.1, FIRST)])
async def test_the_gain_of_a_term_is_not_thinned_by_the_words_of_a_long_final(gained: float, shown: str) -> None:
    rest = " and so it went on from one word to the next until all of it was said"
    likelihood = -0.3 + gained / len((FIRST + rest).split())
    assert likelihood < -0.3 + GAINED_BY_TERMS
    engine = TwoFaced(hypothesis(FIRST + rest), hypothesis(SECOND + rest, likelihood=likelihood))
    (found,) = await decoded(engine, [replace(request(), pcm=np.ones(10 * 16_000, dtype=np.int16))], [VOCABULARY])
    assert text(found) == shown + rest


@pytest.mark.parametrize(
    "second",
    [
        hypothesis(SECOND, likelihood=-0.3 + GAINED_BY_TERMS - 0.01),
        hypothesis("a Lavenstein distance is short.", likelihood=-0.1),
        hypothesis(f"{SECOND} Levenshtein Levenshtein Levenshtein", likelihood=-0.1),
        replace(hypothesis(SECOND, likelihood=-0.1), words=(*hypothesis(SECOND).words, Word("uh", 9.0, 9.2, 0.9))),
        None,
    ],
    ids=["hardly more probable", "without the term", "longer", "with a word after the end", "failed"],
)
async def test_else_the_first_stands(second: Hypothesis | None) -> None:
    (found,) = await heard(TwoFaced(hypothesis(FIRST), second), VOCABULARY)
    assert text(found) == FIRST


async def test_only_finals_with_candidates_are_decoded_again_and_as_one_batch() -> None:
    engine = TwoFaced(hypothesis(FIRST), hypothesis(SECOND, likelihood=-0.2))
    found = await heard(engine, VOCABULARY, (), (*OTHERS, *terms("Kubernetes")), VOCABULARY)
    assert [text(one) for one in found] == [SECOND, FIRST, FIRST, SECOND]
    assert [len(batch) for batch in engine.batches] == [4, 2]
    await heard(engine, VOCABULARY, final=False)
    assert len(engine.batches) == 3


async def test_all_terms_of_a_short_vocabulary_are_tried_but_those_that_were_heard() -> None:
    engine = TwoFaced(hypothesis("he was born in Oslo"), hypothesis("Goethe was born in Oslo", likelihood=-0.2))
    (found,) = await heard(engine, OTHERS)
    assert text(found) == "Goethe was born in Oslo"
    assert sorted(engine.batches[1][0].vocabulary) == sorted(one.text for one in OTHERS if one.text != "Oslo")
    await heard(engine, terms("Oslo"))
    assert len(engine.batches) == 3


async def test_nothing_is_put_into_noise() -> None:
    noise = hypothesis("Levinstine", likelihood=-1.3, confidence=0.1, no_speech=0.8)
    engine = TwoFaced(noise, hypothesis("Levenshtein", likelihood=-0.2))
    await heard(engine, VOCABULARY)
    assert len(engine.batches) == 1


async def test_near_misses_are_corrected_in_finals_and_spelt_in_partials() -> None:
    said = hypothesis("over GRPC to cube control", confidence=0.95)
    vocabulary = (Term(text="kubectl", sounds_like=("cube control",)), Term(text="gRPC"))
    (final,) = await heard(TwoFaced(said, None), vocabulary)
    (partial,) = await heard(TwoFaced(said, None), vocabulary, final=False)
    assert text(final) == "over gRPC to kubectl"
    assert isinstance(final, Hypothesis)
    assert [word.corrected_from for word in final.words] == [None, "GRPC", None, "cube control"]
    assert text(partial) == "over gRPC to cube control"


@pytest.mark.looptime
async def test_live_finals_have_corrections_and_partials_no_vocabulary() -> None:
    spoken = ("run", "cube", "control", "now")
    script = [ScriptedWord(word, 0.5 + i * 0.5, 0.9 + i * 0.5) for i, word in enumerate(spoken)]
    asked: list[DecodeRequest] = []
    engine = ScriptedEngine(script, failures=lambda request: bool(asked.append(request)))  # type: ignore[func-returns-value]
    session = replace(SESSION, vocabulary=(Term(text="kubectl", sounds_like=("cube control",)),))
    log = memory_log()
    async with worker_on(log, engine):
        for segment in segments(scripted_audio(script, 4)):
            await log.append(AUDIO, write_audio(replace(segment, settings=session if segment.settings else None)))
        await asyncio.sleep(2)
    (final,) = (await told(log, CAPTIONS)).finals
    assert final.text == "run kubectl now"
    assert final.words is not None
    assert final.words[1].corrected_from == "cube control"
    assert final.words[1].start == pytest.approx(1.0, abs=0.01)
    assert final.words[1].end == pytest.approx(1.9, abs=0.01)
    assert {one.vocabulary for one in asked if not one.final} <= {()}
    assert [one.vocabulary for one in asked if one.final] == [(), ("kubectl",)]
    assert '"corrected_from":"cube control"' in final.encode()
    assert not (await told(log, PARTIALS)).finals


@pytest.mark.speech
async def test_a_term_is_heard_among_many(tiny: WhisperEngine) -> None:
    said = next(one.pcm for one in utterances("azure_katiesteve") if "diarize" in one.text)
    vocabulary = terms("diarize", *(f"{a}{b}" for a in ("Zor", "Kem", "Bal", "Wyt") for b in ("mandu", "fex", "ogul")))
    final = DecodeRequest(pcm=said, language="en", final=True)
    without, with_it = [(await decoded(tiny, [final], [given]))[0] for given in ((), vocabulary)]
    assert "diarize" not in text(without)
    assert "diarize" in text(with_it)
