"""The HTTP server: uvicorn inside an existing event loop, with limits on what a connection may cost."""

from livecaptions.server.connections import ConnectionLimits
from livecaptions.server.http_server import serving
from livecaptions.server.listening import listen

__all__ = ["ConnectionLimits", "listen", "serving"]
