"""The Log port's adapters."""
