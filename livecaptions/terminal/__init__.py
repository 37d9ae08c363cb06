"""What ``send``, ``watch`` and ``demo`` share: sound from files and pipes, captions on a screen."""
