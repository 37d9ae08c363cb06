"""The worker: decodes utterances with a speech engine and publishes captions."""
