"""Partials that nothing waits for are searched with more beams."""

from typing import Any

import pytest

from captions.audio import Pcm
from captions.ports.engine import DecodeRequest
from inference.engine import WhisperEngine, WhisperSettings

pytestmark = pytest.mark.weights


class Watched:
    """A model that keeps the number of beams of each search."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - CTranslate2 has no types
        self.beams: list[int] = []
        self._model = model

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the model has
        return getattr(self._model, name)

    def generate(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - CTranslate2 has no types
        self.beams.append(options["beam_size"])
        return self._model.generate(*args, **options)


def test_only_partials_that_nothing_waits_for_are_searched_with_more_beams(tiny: WhisperEngine, jfk: Pcm) -> None:
    model = Watched(tiny.model)
    settings = WhisperSettings(partial_beam_size=1, unhurried_beam_size=3, beam_size=2)
    engine = WhisperEngine(model, tiny.tokenizer, name="tiny.en", revision="0" * 12, settings=settings)
    pcm = jfk[: 3 * 16_000]
    hurried, unhurried, final = (
        DecodeRequest(pcm=pcm, language="en"),
        DecodeRequest(pcm=pcm, language="en", unhurried=True),
        DecodeRequest(pcm=pcm, language="en", final=True),
    )
    for request in (hurried, unhurried, final):
        engine.decode([request])
    engine.decode([hurried, unhurried])
    assert model.beams == [1, 3, 2, 1]
