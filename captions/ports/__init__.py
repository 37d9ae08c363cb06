"""The core's ports, one file each. Other packages implement them: auth, streamer, inference, transport, monitoring."""
