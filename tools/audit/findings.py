"""What an audit finds."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Advisory:
    """A vulnerability that is known of a locked package. ``ids`` are all its names, the source's own first."""

    package: str
    ids: tuple[str, ...]
    summary: str
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        fixed = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no version fixes it"
        return f"{self.package}: {' = '.join(self.ids)}: {self.summary} ({fixed})"


@dataclass(slots=True)
class Findings:
    """The advisories, what else is wrong, and what could not be checked."""

    advisories: list[Advisory] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An advisory that does not fail the audit up to and including day ``until``, and why."""

    reason: str
    until: dt.date


def accepted(path: Path) -> Mapping[str, Accepted]:
    """Read the accepted advisories by id. Raises ``ValueError`` if one lacks its reason or its last day."""
    entries = {}
    for name, entry in tomllib.loads(path.read_text()).items():
        if not entry.get("reason") or type(entry.get("until")) is not dt.date or entry.keys() - {"reason", "until"}:
            raise ValueError(f'{path}: [{name}] needs reason = "..." and until = YYYY-MM-DD, and nothing else')
        entries[name] = Accepted(entry["reason"], entry["until"])
    return entries


def acceptance(advisory: Advisory, entries: Mapping[str, Accepted], today: dt.date) -> Accepted | None:
    """The entry that accepts ``advisory`` today, by any of its ids; None if it counts."""
    found = [entries[name] for name in advisory.ids if name in entries]
    return next((entry for entry in found if today <= entry.until), None)
