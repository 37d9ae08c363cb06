"""The packages of ``uv.lock``, and what is wrong with the lock itself."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INDEX = "https://pypi.org/simple"
FILES = "https://files.pythonhosted.org/"


@dataclass(frozen=True, slots=True)
class Package:
    """A locked package. ``files`` maps the names of its files to their hashes, ``sha256:...``."""

    name: str
    version: str
    files: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Lock:
    """The packages that are fetched, and the flaws that need no index to be seen."""

    packages: tuple[Package, ...]
    flaws: tuple[str, ...]


def read(path: Path) -> Lock:
    """Read a lock."""
    entries = tomllib.loads(path.read_text())["package"]
    fetched = [entry for entry in entries if "editable" not in entry["source"]]
    return Lock(
        tuple(_package(entry) for entry in fetched),
        tuple(f"{entry['name']} {entry['version']}: {flaw}" for entry in fetched for flaw in _flaws(entry)),
    )


def _package(entry: Mapping[str, Any]) -> Package:
    files = {file["url"].rpartition("/")[2]: file.get("hash", "") for file in _files(entry) if "url" in file}
    return Package(entry["name"], entry["version"], files)


def _flaws(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry["source"] != {"registry": INDEX}:
        yield f"comes from {entry['source']}, and not from {INDEX}"
    files = _files(entry)
    if not files:
        yield "has no file"
    for file in files:
        name = file.get("url", "a file without an address")
        if not name.startswith(FILES):
            yield f"{name} is not at {FILES}"
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", file.get("hash", "")):
            yield f"{name} has no SHA-256"


def _files(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*([entry["sdist"]] if "sdist" in entry else []), *entry.get("wheels", [])]
