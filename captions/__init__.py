"""The pure core: what a live caption is and how it comes about. No I/O, no clock, no event loop."""
