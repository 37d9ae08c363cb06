"""A gateway's capacity, without a model: publishers and viewers a core."""
