"""Implementations of the Log port."""
