"""The core: captions, utterances, records and messages. It has no I/O, no clock and no event loop."""
