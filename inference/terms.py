"""Terms of the vocabulary in hypotheses: finals decoded again with the few that they may contain, words corrected."""

from collections.abc import Sequence
from dataclasses import replace

from captions.audio import to_seconds
from captions.corrections import corrected, respelt
from captions.gates import GateSettings, screen
from captions.glossary import MOST_CANDIDATES, glossary_of
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.probe import Probe
from captions.sounds import sound
from captions.terms import Term
from captions.words import join
from inference.decoders import Decoder
from inference.decoding import Failed, decode_each

GAINED_BY_TERMS = 0.04
"""Mean log-probability that a decode with a term gains where the term was said. Wrong terms gain 0.02 at most."""

GAINED_IN_ALL = 0.5
"""The same times the number of words: enough where the other words of a long text thin the mean. Wrong terms: 0.37."""

_MORE_WORDS = 2  # that a decode with terms may have


async def hear_terms(
    decoder: Decoder,
    requests: Sequence[DecodeRequest],
    results: Sequence[Hypothesis | Failed],
    vocabularies: Sequence[tuple[Term, ...]],
    *,
    probe: Probe,
    gates: GateSettings,
) -> list[Hypothesis | Failed]:
    """The results of requests, with the terms of each one's vocabulary heard.

    Finals whose doubtful words may have been terms are decoded again, as one batch, each with its few terms; then words
    that sound like a term are corrected. Partials only get the terms' spelling, which cannot make words come and go.
    What becomes of a result depends on its audio, its language and its vocabulary alone.
    """
    found = list(results)
    few = {
        i: (first, terms)
        for i, (request, first, vocabulary) in enumerate(zip(requests, found, vocabularies, strict=True))
        if isinstance(first, Hypothesis) and (terms := candidates(request, first, vocabulary, gates))
    }
    if few:
        again = [
            replace(requests[i], language=first.language, detected=False, vocabulary=tuple(term.text for term in terms))
            for i, (first, terms) in few.items()
        ]
        for (i, (first, terms)), second in zip(few.items(), await decode_each(decoder, again, probe, 1), strict=True):
            if isinstance(second, Hypothesis):
                found[i] = with_terms(requests[i], first, second, terms, gates)
    return [
        _corrected(request, result, vocabulary)
        for request, result, vocabulary in zip(requests, found, vocabularies, strict=True)
    ]


def with_terms(
    request: DecodeRequest, first: Hypothesis, second: Hypothesis, terms: Sequence[Term], gates: GateSettings
) -> Hypothesis:
    """``second``, decoded with ``terms``, where one of them is new in it and made the text more probable.

    It has to pass the gates whole, and may not be much longer: a prompt must not make up words.
    """
    redecoded = first.redecoded or second.redecoded
    gained = second.mean_log_probability - first.mean_log_probability
    before, after = (sound(join(one.words, one.language)).letters for one in (first, second))
    new = any((letters := sound(term.text).letters) in after and letters not in before for term in terms)
    kept = screen(second, to_seconds(len(request.pcm)), gates)
    enough = min(GAINED_BY_TERMS, GAINED_IN_ALL / max(1, len(first.words)))
    if new and gained >= enough and not kept.fired and len(second.words) <= len(first.words) + _MORE_WORDS:
        return replace(second, redecoded=redecoded)
    return replace(first, redecoded=redecoded)


def candidates(
    request: DecodeRequest, first: Hypothesis, vocabulary: tuple[Term, ...], gates: GateSettings
) -> tuple[Term, ...]:
    """The few terms to decode a final again with; none where nobody spoke, so that no term is put into noise.

    They are those that its words sound like, and of a short vocabulary all that were not heard.
    """
    if not (request.final and vocabulary and screen(first, to_seconds(len(request.pcm)), gates).words):
        return ()
    likely = glossary_of(vocabulary).candidates(first.words)
    if len(vocabulary) > MOST_CANDIDATES:
        return likely
    heard = sound(join(first.words, first.language)).letters
    rest = (term for term in vocabulary if term not in likely and sound(term.text).letters not in heard)
    return (*likely, *rest)


def _corrected(
    request: DecodeRequest, result: Hypothesis | Failed, vocabulary: tuple[Term, ...]
) -> Hypothesis | Failed:
    if isinstance(result, Failed) or not vocabulary:
        return result
    correct = corrected if request.final else respelt
    return replace(result, words=correct(result.words, glossary_of(vocabulary)))
