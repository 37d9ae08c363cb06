"""Channels mixed down to one, those of opposite phase turned round first: else they cancel each other."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

BLOCKS_PER_SECOND = 100
"""Blocks after each of which the channels are compared; a change of signs is spread over the next one."""

MEMORY = 0.5
"""Seconds over which the channels are compared: the time constant of an exponential window."""

OPPOSITE, ALIKE = -0.5, 0.2
"""Correlations with the loudest channel under which a channel is turned round, and over which it is turned back."""


class Mixer:
    """The mean of the channels of one stream, each turned round while it is opposite to the loudest one.

    ``rate`` is in Hz. The samples do not depend on how the stream is cut.
    """

    def __init__(self, channels: int, rate: int) -> None:
        self.channels = channels
        self._block = max(1, rate // BLOCKS_PER_SECOND)
        self._forget = np.exp(-self._block / rate / MEMORY)
        self._products = np.zeros((channels, channels))
        self._of_block = np.zeros((channels, channels))
        self._sums = np.zeros(channels)
        self._before = np.ones(channels, np.float32)
        self._signs = np.ones(channels, np.float32)
        self._at = 0

    def mix(self, samples: Floats) -> Floats:
        """Samples of shape (any,) of those of shape (any, channels)."""
        return np.concatenate([self._mixed(part) for part in self._parts(samples)]) if len(samples) else samples[:, 0]

    def _parts(self, samples: Floats) -> list[Floats]:
        edges = range(self._block - self._at, len(samples), self._block)
        return np.split(samples, list(edges))

    def _mixed(self, part: Floats) -> Floats:
        """``part`` lies within one block."""
        if np.array_equal(self._before, self._signs):
            mixed: Floats = part @ self._signs / np.float32(len(self._signs))
        else:
            share = (np.arange(self._at, self._at + len(part), dtype=np.float32) / self._block)[:, np.newaxis]
            weights = (1 - share) * self._before + share * self._signs
            mixed = np.mean(part * weights, axis=1, dtype=np.float32)
        self._of_block += part.T.astype(np.float64) @ part
        self._sums += part.sum(axis=0, dtype=np.float64)
        self._at += len(part)
        if self._at == self._block:
            self._at = 0
            self._compare()
        return mixed

    def _compare(self) -> None:
        """At the end of a block: which channels are opposite to the loudest one by now."""
        covariance = self._of_block - np.outer(self._sums, self._sums) / self._block  # offsets are alike in any case
        self._products = self._products * self._forget + covariance
        self._of_block = np.zeros_like(self._of_block)
        self._sums = np.zeros_like(self._sums)
        self._before = self._signs
        energies = np.diagonal(self._products)
        loudest = int(
            np.argmax(energies * np.where(self._signs > 0, 1.0, 0.25))
        )  # one that is not turned, if it can be
        scale = np.sqrt(np.maximum(energies * energies[loudest], 0))
        correlation = np.divide(self._products[loudest], scale, out=np.zeros_like(scale), where=scale > 0)
        alike = correlation * self._signs[loudest]  # as it is turned itself
        turned = np.where(alike < OPPOSITE, -1, np.where(alike > ALIKE, 1, self._signs))
        self._signs = turned.astype(np.float32)
