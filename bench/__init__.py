"""Measurements: speed, accuracy and cost, as tables for docs/."""
