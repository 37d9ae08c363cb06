"""Benchmarks of speed, accuracy and cost. They print tables for docs/."""
