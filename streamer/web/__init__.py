"""HTTP and WebSockets: the only package here that knows Starlette."""
