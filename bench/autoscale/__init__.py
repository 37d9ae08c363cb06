"""Autoscaling of workers on a real cluster."""
