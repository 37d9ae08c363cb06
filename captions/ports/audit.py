"""The Audit port: a record of who did what with which room, and with what outcome. The base class does nothing.

Entries never contain what was said, nor tokens.
"""

from captions.access import Principal
from captions.track import RoomId

Detail = str | int | float | bool | None


class Audit:
    """A hook that does nothing. ``monitoring`` overrides it. It has to be quick and must not raise."""

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
        """Record an ``action`` (docs/privacy.md lists them) and its ``outcome``: ``ok``, or the code of a refusal.

        ``principal`` is None if nobody was authenticated. ``address`` is the client's.
        """


NO_AUDIT = Audit()
