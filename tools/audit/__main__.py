"""Audit the locked dependencies: ``make audit``.

Fails on a known vulnerability that is not accepted, and on a lock that is not what it should be. What cannot be
checked here is printed as such and fails nothing.
"""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import httpx

from tools.audit import findings, index, lock, osv

ROOT = Path(__file__).resolve().parents[2]
ACCEPTED = Path(__file__).with_name("accepted.toml")


def main(uv: str) -> int:
    """Audit, print what was found, and return the exit status."""
    checked = subprocess.run([uv, "lock", "--check", "--quiet"], cwd=ROOT, check=False).returncode == 0
    locked = lock.read(ROOT / "uv.lock")
    found = findings.Findings(flaws=[*([] if checked else ["uv.lock is not up to date: uv lock"]), *locked.flaws])
    try:
        found.advisories += osv.check(uv)
        source = "the OSV database"
    except osv.NoDatabase as error:
        found.not_checked.append(f"the OSV database ({error})")
        source = "the package index"
    with httpx.Client(timeout=20) as client:
        told = index.check(locked.packages, client, advisories=source == "the package index")
    found.advisories += told.advisories
    found.flaws += told.flaws
    found.not_checked += told.not_checked
    files = sum(len(package.files) for package in locked.packages)
    print(f"{len(locked.packages)} locked packages, {files} files; advisories from {source}")
    return conclude(found)


def conclude(found: findings.Findings) -> int:
    """Print the findings; the exit status is 1 if any of them counts."""
    entries, today = findings.accepted(ACCEPTED), dt.datetime.now(dt.UTC).date()
    for what in found.not_checked:
        print(f"not checked: {what}")
    counting = list(found.flaws)
    for advisory in found.advisories:
        entry = findings.acceptance(advisory, entries, today)
        if entry is None:
            counting.append(str(advisory))
        else:
            print(f"accepted until {entry.until}: {advisory}: {entry.reason}")
    for what in counting:
        print(f"FAILED: {what}")
    print(f"{len(counting)} findings, {len(found.not_checked)} not checked")
    return 1 if counting else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
