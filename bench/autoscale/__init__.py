"""Workers that follow the load, on a real cluster."""
