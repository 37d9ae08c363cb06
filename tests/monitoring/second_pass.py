"""Measures what the second pass would, and decodes nothing: ``python -m tests.monitoring.second_pass PORT``."""

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from monitoring.metrics import Families, RefineProbe

WORDS, CHANGED = 20, 1
PROBE = RefineProbe(Families(), "0")


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body, kind = PROBE.render()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


if __name__ == "__main__":
    PROBE.model_loaded("base", "int8", "cpu")
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Metrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        PROBE.refined("base", WORDS, CHANGED, 25.0)
        PROBE.refine_behind(12.0)
        PROBE.refine_skipped(0.1)
        time.sleep(0.5)
