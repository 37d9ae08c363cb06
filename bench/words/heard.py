"""Utterances heard otherwise: the same words, so that an error that is chance in one may be right in another."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from bench import vad
from bench.words.corpus import silence_and_noise
from bench.words.cuts import Cut
from captions.audio import Pcm, to_samples


def _as_it_was(pcm: Pcm, utterances: Sequence[Cut]) -> list[Cut]:
    return _cut_again(pcm, utterances)


def _in_noise(pcm: Pcm, utterances: Sequence[Cut]) -> list[Cut]:
    return _cut_again(_spoken(pcm, utterances).in_noise(_noise(), 10).pcm, utterances)


def _later_and_quieter(pcm: Pcm, utterances: Sequence[Cut]) -> list[Cut]:
    return _cut_again(_times(pcm, 0.25), utterances, by=0.04)


def _telephoned(pcm: Pcm, utterances: Sequence[Cut]) -> list[Cut]:
    return _cut_again(_spoken(pcm, utterances).telephoned().pcm, utterances)


def _earlier_and_louder(pcm: Pcm, utterances: Sequence[Cut]) -> list[Cut]:
    return _cut_again(_times(pcm, 2.0), utterances, by=-0.02)


def _hissing(pcm: Pcm, utterances: Sequence[Cut]) -> list[Cut]:
    hiss = (1000 * np.random.default_rng(len(pcm)).normal(size=len(pcm))).astype(np.int16)
    return _cut_again(_spoken(pcm, utterances).in_noise(hiss, 30).pcm, utterances)


VARIANTS: dict[str, Callable[[Pcm, Sequence[Cut]], list[Cut]]] = {
    "as it was": _as_it_was,
    "10 dB over noise": _in_noise,
    "cut 40 ms later, 12 dB quieter": _later_and_quieter,
    "by a quiet telephone": _telephoned,
    "cut 20 ms earlier, 6 dB louder": _earlier_and_louder,
    "30 dB over hiss": _hissing,
}
"""What makes the utterances of a recording, given its audio and its utterances as they were cut."""


@cache
def _noise() -> Pcm:
    return np.concatenate([one.pcm for one in silence_and_noise() if one.kind == "non-speech"])


def _times(pcm: Pcm, factor: float) -> Pcm:
    return np.clip(np.round(pcm * factor), -32768, 32767).astype(np.int16)


def _spoken(pcm: Pcm, utterances: Sequence[Cut]) -> vad.Recording:
    return vad.Recording(pcm, tuple((one.start, one.start + len(one.pcm)) for one in utterances))


def _cut_again(pcm: Pcm, utterances: Sequence[Cut], *, by: float = 0.0) -> list[Cut]:
    """The same utterances of other audio, cut ``by`` seconds later."""
    starts = [max(0, one.start + round(to_samples(1) * by)) for one in utterances]
    return [replace(one, start=at, pcm=pcm[at : at + len(one.pcm)]) for one, at in zip(utterances, starts, strict=True)]
