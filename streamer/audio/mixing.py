"""Mixes channels to mono. Channels of opposite phase are inverted first, because they would cancel each other."""

import numpy as np

from streamer.audio.floats import Floats

BLOCKS_PER_SECOND = 100
"""Blocks per second. Channels are compared after each block, and a change of signs fades in over the next one."""

MEMORY = 0.5
"""Time constant, in seconds, of the exponential window over which channels are compared."""

OPPOSITE, ALIKE = -0.5, 0.2
"""Correlations with the loudest channel: below the first a channel is inverted, above the second it no longer is."""


class Mixer:
    """Computes the mean of the channels of one stream. Channels of opposite phase to the loudest one are inverted.

    ``rate`` is in Hz. The result does not depend on how the stream is split between calls.
    """

    def __init__(self, channels: int, rate: int) -> None:
        self.channels = channels
        self._block = max(1, rate // BLOCKS_PER_SECOND)
        self._decay = np.exp(-self._block / rate / MEMORY)
        self._products = np.zeros((channels, channels))
        self._of_block = np.zeros((channels, channels))
        self._sums = np.zeros(channels)
        self._previous_signs = np.ones(channels, np.float32)
        self._signs = np.ones(channels, np.float32)
        self._at = 0

    def mix(self, samples: Floats) -> Floats:
        """Mix samples of shape (any, channels) to shape (any,)."""
        return np.concatenate([self._mixed(part) for part in self._parts(samples)]) if len(samples) else samples[:, 0]

    def _parts(self, samples: Floats) -> list[Floats]:
        edges = range(self._block - self._at, len(samples), self._block)
        return np.split(samples, list(edges))

    def _mixed(self, part: Floats) -> Floats:
        """Mix ``part``, which lies within one block."""
        if np.array_equal(self._previous_signs, self._signs):
            mixed: Floats = part @ self._signs / np.float32(len(self._signs))
        else:
            share = (np.arange(self._at, self._at + len(part), dtype=np.float32) / self._block)[:, np.newaxis]
            weights = (1 - share) * self._previous_signs + share * self._signs
            mixed = np.mean(part * weights, axis=1, dtype=np.float32)
        self._of_block += part.T.astype(np.float64) @ part
        self._sums += part.sum(axis=0, dtype=np.float64)
        self._at += len(part)
        if self._at == self._block:
            self._at = 0
            self._compare()
        return mixed

    def _compare(self) -> None:
        """Determine, at the end of a block, which channels are of opposite phase to the loudest one."""
        covariance = self._of_block - np.outer(self._sums, self._sums) / self._block  # without offsets
        self._products = self._products * self._decay + covariance
        self._of_block = np.zeros_like(self._of_block)
        self._sums = np.zeros_like(self._sums)
        self._previous_signs = self._signs
        energies = np.diagonal(self._products)
        # prefers a channel that is not inverted
        loudest = int(np.argmax(energies * np.where(self._signs > 0, 1.0, 0.25)))
        scale = np.sqrt(np.maximum(energies * energies[loudest], 0))
        correlation = np.divide(self._products[loudest], scale, out=np.zeros_like(scale), where=scale > 0)
        alike = correlation * self._signs[loudest]  # the loudest channel may be inverted itself
        signs = np.where(alike < OPPOSITE, -1, np.where(alike > ALIKE, 1, self._signs))
        self._signs = signs.astype(np.float32)
