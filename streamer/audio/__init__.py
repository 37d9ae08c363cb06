"""Audio decoding: from a publisher's bytes to PCM16, mono, at 16 kHz, while they arrive."""
