"""Metrics, health endpoints, traces and logs."""
