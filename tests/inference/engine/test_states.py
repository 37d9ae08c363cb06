"""States that stay on a GPU, as far as a CPU can tell: numpy stands in for cupy, whose methods are the same."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from captions.audio import Pcm
from captions.ports.engine import DecodeRequest
from inference.engine import WhisperEngine
from inference.engine.states import CpuStates, GpuStates, states_on


class Stream:
    """Counts how often it was waited for."""

    def __init__(self) -> None:
        self.synchronized = 0

    def synchronize(self) -> None:
        self.synchronized += 1


def cupy_of(stream: Stream) -> ModuleType:
    module = ModuleType("cupy")
    cuda = SimpleNamespace(get_current_stream=lambda: stream)
    vars(module).update(asarray=np.asarray, concatenate=np.concatenate, stack=np.stack, cuda=cuda)
    return module


def test_states_stay_where_the_model_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(states_on("cpu"), CpuStates)
    monkeypatch.setitem(sys.modules, "cupy", cupy_of(Stream()))
    assert isinstance(states_on("cuda"), GpuStates)


def test_without_cupy_they_go_by_way_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert isinstance(states_on("cuda"), CpuStates)


@pytest.mark.speech
def test_an_engine_hears_the_same_and_waits_before_each_search(
    tiny: WhisperEngine, jfk: Pcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [
        DecodeRequest(pcm=jfk[: 3 * 16_000], language="en", final=True),
        DecodeRequest(pcm=jfk[: 4 * 16_000], language="en"),
        DecodeRequest(pcm=jfk[: 6 * 16_000], language="en"),
    ]
    expected = tiny.decode(requests)
    stream = Stream()
    monkeypatch.setattr(tiny, "_states", GpuStates(cupy_of(stream)))
    assert tiny.decode(requests) == expected
    assert stream.synchronized == 3  # two searches, and one alignment
