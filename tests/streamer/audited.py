"""An audit log that a test reads."""

from typing import Any

from captions.access import Principal
from captions.ports.audit import Audit, Detail
from captions.track import RoomId


class Recording(Audit):
    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def record(
        self,
        *,
        action: str,
        outcome: str,
        principal: Principal | None,
        room: RoomId | None = None,
        address: str | None = None,
        **details: Detail,
    ) -> None:
        self.lines.append(
            {"action": action, "outcome": outcome, "principal": principal, "room": room, "address": address, **details}
        )

    def only(self, *actions: str) -> list[tuple[str, str]]:
        return [(line["action"], line["outcome"]) for line in self.lines if line["action"].startswith(actions)]
