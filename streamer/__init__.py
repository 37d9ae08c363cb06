"""The gateway: sockets, audio decoding, voice activity, rooms and their viewers, pages."""
