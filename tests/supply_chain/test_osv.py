"""What make audit makes of the answers of an OSV database, with uv itself, which is still changing this command."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tools.audit import osv
from tools.audit.findings import Advisory

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[2]
UV = shutil.which("uv") or str(ROOT / ".tools" / "uv" / "bin" / "uv")
VULNERABLE = "aiokafka"
RECORD = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "modified": "2026-01-01T00:00:00Z",
    "summary": "bad",
    "affected": [
        {
            "package": {"name": VULNERABLE, "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999"}]}],
        }
    ],
}


@contextmanager
def database(vulnerable: str) -> Iterator[str]:
    """The address of an OSV database in which one package is vulnerable."""

    class Database(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
            hit = {"vulns": [{"id": RECORD["id"], "modified": RECORD["modified"]}]}
            self._say({"results": [hit if each["package"]["name"] == vulnerable else {} for each in asked]})

        def do_GET(self) -> None:
            self._say(RECORD)

        def _say(self, answer: object) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: it is asked as often as the lock is long."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Database) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_a_vulnerability_is_found() -> None:
    with database(VULNERABLE) as address:
        (found,) = osv.check(UV, f"--service-url={address}")
    name, _, version = found.package.partition(" ")
    assert (name, bool(version)) == (VULNERABLE, True)
    assert found == Advisory(found.package, ("PYSEC-2026-1", "CVE-2026-1"), "bad", ("999",))


def test_nothing_is_found() -> None:
    with database("none of ours") as address:
        assert osv.check(UV, f"--service-url={address}") == []


def test_a_database_that_is_away_is_told() -> None:
    with pytest.raises(osv.NoDatabase, match="Request failed"):
        osv.check(UV, "--service-url=http://127.0.0.1:1/")
