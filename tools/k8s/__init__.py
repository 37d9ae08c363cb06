"""Kubernetes: manifests rendered and checked."""
