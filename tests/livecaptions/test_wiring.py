import pytest

from captions.errors import SetupError
from livecaptions.settings.fields import Settings
from livecaptions.wiring import build_engines


def test_further_models_are_loaded_after_the_default() -> None:
    engines = build_engines(Settings(model="tiny.en", threads=1, decoders=1))
    assert [engine.model_name for engine in engines] == ["tiny.en"]


def test_a_model_that_is_named_twice_is_an_error() -> None:
    with pytest.raises(SetupError, match=r"name one model twice: tiny\.en, tiny\.en"):
        build_engines(Settings(model="tiny.en", models=("tiny.en",), threads=1, decoders=1))
