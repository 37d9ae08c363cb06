"""The gateway: WebSockets and HTTP, audio decoding, voice activity, rooms and viewers, web pages."""
