"""HTTP and WebSockets. Only this package and ``streamer.pages`` import Starlette and FastAPI."""
