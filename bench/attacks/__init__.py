"""Attacks on a server, and what eight honest streams notice of them: docs/attacks.md."""
