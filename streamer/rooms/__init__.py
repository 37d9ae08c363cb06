"""Rooms: what was said in them so far, and who is reading."""
