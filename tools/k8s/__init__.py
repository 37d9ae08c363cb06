"""Rendering and checks of the Kubernetes manifests."""
