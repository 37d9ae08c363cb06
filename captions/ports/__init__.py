"""What the core asks of the outside world: one small file a port. Adapters live in the rooms above."""
