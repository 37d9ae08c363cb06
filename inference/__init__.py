"""The worker: utterances in, captions out, through a speech engine."""
