"""What the package index says of locked packages: advisories, withdrawn files, other hashes.

The index answers for each version at ``/pypi/NAME/VERSION/json``. Some mirrors have ``/pypi/NAME/json`` alone, whose
advisories are those of the newest version: it tells nothing of an older one.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tools.audit.findings import Advisory, Findings
from tools.audit.lock import Package

INDEX = "https://pypi.org"
SIMPLE = "application/vnd.pypi.simple.v1+json"
AT_ONCE = 8


class Unreachable(Exception):
    """The index did not answer; the message says what was asked and why."""


def check(packages: tuple[Package, ...], client: httpx.Client, *, advisories: bool) -> Findings:
    """Ask the index about ``packages``; about advisories only if they are wanted."""
    findings = Findings()

    def ask(package: Package) -> Findings:
        return _check(package, client, advisories=advisories)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for found in pool.map(ask, packages):
            findings.advisories += found.advisories
            findings.flaws += found.flaws
            findings.not_checked += found.not_checked
    return findings


def _check(package: Package, client: httpx.Client, *, advisories: bool) -> Findings:
    findings = Findings()
    try:
        page = _get(client, f"/simple/{package.name}/", accept=SIMPLE)
    except Unreachable as error:
        findings.not_checked.append(f"{package}: withdrawn files ({error})")
    else:
        findings.flaws += _flaws(package, page)
    if not advisories:
        return findings
    try:
        findings.advisories += _advisories(package, client)
    except Unreachable as error:
        findings.not_checked.append(f"{package}: advisories ({error})")
    return findings


def _flaws(package: Package, page: dict[str, Any]) -> list[str]:
    listed = {file["filename"]: file for file in page["files"]}
    flaws = []
    for name, digest in package.files.items():
        file = listed.get(name)
        if file is None:
            flaws.append(f"{package}: {name} is gone from the index")
        elif file.get("yanked", False) is not False:
            why = file["yanked"] if isinstance(file["yanked"], str) else "no reason given"
            flaws.append(f"{package}: {name} was yanked ({why})")
        elif (theirs := file["hashes"].get("sha256")) and digest != f"sha256:{theirs}":
            flaws.append(f"{package}: {name} has another hash at the index")
    return flaws


def _advisories(package: Package, client: httpx.Client) -> list[Advisory]:
    try:
        page = _get(client, f"/pypi/{package.name}/{package.version}/json")
    except Unreachable:
        page = _get(client, f"/pypi/{package.name}/json")
        newest = page["info"]["version"]
        if newest != package.version:
            raise Unreachable(f"the index tells them of {newest} alone") from None
    if "vulnerabilities" not in page:
        raise Unreachable("the index does not tell them")
    return [
        Advisory(
            str(package),
            (entry["id"], *entry.get("aliases", ())),
            (entry.get("summary") or entry.get("details") or "no summary").strip().splitlines()[0],
            tuple(entry.get("fixed_in", ())),
        )
        for entry in page["vulnerabilities"]
        if not entry.get("withdrawn")
    ]


def _get(client: httpx.Client, path: str, accept: str = "application/json") -> dict[str, Any]:
    try:
        response = client.get(f"{INDEX}{path}", headers={"Accept": accept})
    except httpx.TransportError as error:
        raise Unreachable(f"{path}: {type(error).__name__}: {error}") from error
    if response.status_code != httpx.codes.OK or not _is_json(response):
        raise Unreachable(f"{path}: {response.status_code}")
    return dict(response.json())


def _is_json(response: httpx.Response) -> bool:
    return "json" in response.headers.get("content-type", "")
