"""The capacity of a gateway without a model: publishers and viewers per core."""
