"""The models with real weights, and engines of one model with other settings."""

from bench.clocked import Clocked
from bench.models import base_folder
from inference.engine import WhisperEngine, WhisperSettings, load_engine


def load(model: str) -> WhisperEngine:
    """The engine of ``tiny.en``, ``base`` or a folder, on one thread."""
    return load_engine(path_of(model), device="cpu", threads=1)


def path_of(model: str) -> str:
    """What ``load_engine`` has to be told for a model's name."""
    return str(base_folder()) if model == "base" else model


def clocked(engine: WhisperEngine, settings: WhisperSettings) -> tuple[WhisperEngine, Clocked]:
    """An engine with the same weights and other settings, and the clock of its calls."""
    clock = Clocked(engine.model)
    revised = WhisperEngine(
        clock, engine.tokenizer, name=engine.model_name, revision=engine.revision, settings=settings
    )
    return revised, clock
