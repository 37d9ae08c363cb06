import pytest

from captions.errors import SetupError
from inference.engine import WhisperEngine
from livecaptions.commands.serve import engines_behind
from livecaptions.settings.fields import Settings
from livecaptions.wiring import build_engines
from tests.support import RecordingProbe


def test_further_models_are_loaded_after_the_default() -> None:
    engines = build_engines(Settings(model="tiny.en", threads=1, decoders=1))
    assert [engine.model_name for engine in engines] == ["tiny.en"]


def test_a_model_that_is_named_twice_is_an_error() -> None:
    with pytest.raises(SetupError, match=r"name one model twice: tiny\.en, tiny\.en"):
        build_engines(Settings(model="tiny.en", models=("tiny.en",), threads=1, decoders=1))


async def test_the_engines_of_the_second_pass_are_warm_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    warmed: list[str] = []
    monkeypatch.setattr(WhisperEngine, "warm_up", lambda engine: warmed.append(engine.model_name))
    probe = RecordingProbe()
    settings = Settings(model="none of these", refine="on", refine_model="tiny.en", threads=1)
    assert [engine.model_name for engine in await engines_behind(settings, probe)] == ["tiny.en"]
    assert warmed == ["tiny.en"]
    assert [model for _, (model, _, _) in probe.calls["model_loaded"]] == ["tiny.en"]
    assert await engines_behind(settings.model_copy(update={"refine": "off"}), probe) == []
