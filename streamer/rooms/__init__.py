"""Rooms: their history and state, and the viewers that follow them."""
