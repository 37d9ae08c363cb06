"""Speech to hypotheses: Whisper in CTranslate2, and what it is fed."""

from inference.engine.load import load_engine
from inference.engine.whisper import WhisperEngine
from inference.engine.windows import REFINING, FinalWindow, WhisperSettings

__all__ = ["REFINING", "FinalWindow", "WhisperEngine", "WhisperSettings", "load_engine"]
