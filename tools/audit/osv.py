"""What the OSV database says of the lock, by ``uv audit``: of every version, where the database can be reached."""

import json
import subprocess

from tools.audit.findings import Advisory

FOUND = 1
"""The exit status of ``uv audit`` that has found something; it is 2 where it could not look."""


class NoDatabase(Exception):
    """The database could not be asked; the message says why."""


def check(uv: str, *options: str) -> list[Advisory]:
    """Audit the lock of the current folder. Raises ``NoDatabase`` where that is not possible."""
    features = "--preview-features=audit-command,json-output"
    command = [uv, "audit", features, "--locked", "--output-format=json", *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode not in {0, FOUND}:
        raise NoDatabase(" ".join(line.strip() for line in done.stderr.splitlines() if "error" in line.lower()))
    report = json.loads(done.stdout)
    return [
        Advisory(
            f"{entry['dependency']['name']} {entry['dependency']['version']}",
            (entry["id"], *entry["aliases"]),
            entry["summary"] or "no summary",
            tuple(entry["fix_versions"]),
        )
        for entry in report["vulnerabilities"]
    ]
