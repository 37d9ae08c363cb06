"""Where encoder states stay between encoder and decoder: on the GPU that computed them, or in the CPU's memory."""

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Protocol

import ctranslate2
import numpy as np
import structlog

from inference.engine.features import Floats

_log = structlog.get_logger(__name__)


class States(Protocol):
    """Moves states between CTranslate2 and arrays: numpy's, or those of cupy, which have the same methods."""

    to_cpu: bool
    """Whether the encoder has to bring its output to the CPU."""

    def taken(self, output: ctranslate2.StorageView) -> Floats:
        """The encoder's output as an array of shape (batch, states, width)."""
        ...

    def joined(self, speech: Floats, tail: Floats) -> Floats:
        """One array of shape (states, width) behind the other."""
        ...

    def given(self, rows: Sequence[Floats]) -> ctranslate2.StorageView:
        """Arrays of one shape (states, width) as the decoder's input."""
        ...


class CpuStates:
    """States in the CPU's memory, in single precision; CTranslate2 moves them to its device by itself."""

    to_cpu = True

    def taken(self, output: ctranslate2.StorageView) -> Floats:
        """The encoder's output, in single precision."""
        if output.dtype != ctranslate2.DataType.float32:
            output = output.to(ctranslate2.DataType.float32)
        return np.asarray(output)

    def joined(self, speech: Floats, tail: Floats) -> Floats:
        """A copy of both."""
        return np.concatenate([speech, tail])

    def given(self, rows: Sequence[Floats]) -> ctranslate2.StorageView:
        """A copy of all, which lives as long as the view does."""
        return ctranslate2.StorageView.from_array(np.stack(rows))


class GpuStates:
    """States on the GPU, in the precision that it computes in. ``cupy`` is that module."""

    to_cpu = False

    def __init__(self, cupy: ModuleType) -> None:
        self._cupy = cupy

    def taken(self, output: ctranslate2.StorageView) -> Floats:
        """The encoder's output where it is: nothing is copied."""
        states: Floats = self._cupy.asarray(output)
        return states

    def joined(self, speech: Floats, tail: Floats) -> Floats:
        """A copy of both, on the GPU."""
        states: Floats = self._cupy.concatenate([speech, tail])
        return states

    def given(self, rows: Sequence[Floats]) -> ctranslate2.StorageView:
        """A copy of all, complete when this returns: CTranslate2 computes in a stream of its own."""
        stacked = self._cupy.stack(rows)
        self._cupy.cuda.get_current_stream().synchronize()
        return ctranslate2.StorageView.from_array(stacked)


def states_on(device: str) -> States:
    """The states of a model on ``cpu`` or ``cuda``; without cupy they go by way of the CPU there too."""
    if device != "cuda":
        return CpuStates()
    try:
        return GpuStates(importlib.import_module("cupy"))
    except ImportError as error:
        _log.info("encoder_states_on_cpu", advice="pip install 'livecaptions[cuda]'", reason=str(error))
        return CpuStates()
