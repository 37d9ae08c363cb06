"""The protocol from the client's side: what ``send``, ``watch``, ``demo`` and the benchmarks are made of."""
