"""Bytes that are almost right."""

from collections.abc import Callable

from hypothesis import strategies as st

Mutation = Callable[[bytes], bytes]


def _flip(at: float, bit: int) -> Mutation:
    def flip(data: bytes) -> bytes:
        changed = bytearray(data)
        if changed:
            changed[int(at * len(changed))] ^= 1 << bit
        return bytes(changed)

    return flip


def _cut(start: float, length: float) -> Mutation:
    return lambda data: data[: int(start * len(data))] + data[int((start + (1 - start) * length) * len(data)) :]


def _repeat(start: float, length: float, times: int) -> Mutation:
    def repeat(data: bytes) -> bytes:
        first, last = int(start * len(data)), int((start + (1 - start) * length) * len(data))
        return data[:last] + data[first:last] * times + data[last:]

    return repeat


def _overwrite(at: float, new: bytes) -> Mutation:
    def overwrite(data: bytes) -> bytes:
        start = int(at * len(data))
        return data[:start] + new + data[start + len(new) :]

    return overwrite


def _insert(at: float, new: bytes) -> Mutation:
    return lambda data: data[: int(at * len(data))] + new + data[int(at * len(data)) :]


WHERE = st.floats(0, 1, exclude_max=True)
HEADER = st.floats(0, 0.05)
"""Containers say at their beginning what they hold."""
LENGTHS = st.sampled_from(
    [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\xff" * 8, b"\x01" + b"\xff" * 7, b"\x80"]
)
PLACES = WHERE | HEADER


def mutations(splices: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[Mutation]]:
    """A few changes: flipped bits, parts that are missing or doubled, wild lengths, and pieces of ``splices``."""
    return st.lists(
        st.one_of(
            st.builds(_flip, PLACES, st.integers(0, 7)),
            st.builds(_cut, PLACES, WHERE),
            st.builds(_repeat, WHERE, st.floats(0, 0.2), st.integers(1, 5)),
            st.builds(_overwrite, PLACES, LENGTHS | st.binary(min_size=1, max_size=64)),
            st.builds(_insert, PLACES, splices | st.binary(max_size=64)),
        ),
        min_size=1,
        max_size=6,
    )


def mutated(data: bytes, changes: list[Mutation]) -> bytes:
    """``data`` after all changes, in their order."""
    for change in changes:
        data = change(data)
    return data
