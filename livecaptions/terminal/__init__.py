"""Shared by ``send``, ``watch`` and ``demo``: audio from files and pipes, and captions in a terminal."""
