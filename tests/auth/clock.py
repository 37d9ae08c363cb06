"""A clock that a test sets, at 2026-11-28."""

NOW = 1_795_824_000


class SetClock:
    """Both times move together."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return self.passed

    def wall(self) -> float:
        return NOW + self.passed
