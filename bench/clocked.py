"""CPU time of a CTranslate2 model's calls, and of a fixed decode that says how fast the machine is now."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from captions.audio import SAMPLE_RATE
from captions.ports.engine import DecodeRequest, Engine


@dataclass
class Clocked:
    """Wraps a CTranslate2 model and sums up the CPU seconds of its calls, by method."""

    model: Any
    seconds: dict[str, float] = field(default_factory=dict)

    def __getattr__(self, name: str) -> object:
        """An attribute of the model. Methods are timed."""
        attribute = getattr(self.model, name)
        if not callable(attribute):
            return attribute

        def clocked(*args: object, **kwargs: object) -> object:
            began = time.process_time()
            result = attribute(*args, **kwargs)
            self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - began
            return result

        return clocked


def fixed_decode(engine: Engine) -> float:
    """CPU seconds of a final of 4 s of fixed noise: figures of two machines, or hours, are compared by it."""
    noise = np.random.default_rng(0).normal(0, 1000, 4 * SAMPLE_RATE).astype(np.int16)
    request = DecodeRequest(pcm=noise, language="en", final=True)
    engine.decode([request])
    began = time.process_time()
    engine.decode([request])
    return time.process_time() - began
