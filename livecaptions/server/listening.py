"""The listening socket, and the open files that its connections need."""

import contextlib
import resource
import socket

from captions.errors import SetupError

BACKLOG = 2048

VANISHED = 30
"""Seconds after which the system closes the connection of a peer that acknowledges nothing any more."""

PROBE_INTERVAL = 5
"""Seconds between two questions to a silent peer whether it is still there."""

MANY_FILES = 65_536
"""Open files where the system names no limit."""


def listen(host: str, port: int, flag: str = "--port") -> socket.socket:
    """Create a listening socket. ``flag`` is the option that sets its port. Raises ``SetupError`` if it fails.

    Its connections are closed by the system where the peer has vanished.
    """
    try:
        sock = socket.create_server((host, port), family=_family(host), backlog=BACKLOG, reuse_port=False)
    except OSError as error:
        raise SetupError(
            f"cannot listen on {host} port {port}: {error.strerror}; "
            f"choose another address with --host and {flag}, or stop the program that listens there"
        ) from error
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", VANISHED - 2 * PROBE_INTERVAL),
        ("TCP_KEEPINTVL", PROBE_INTERVAL),
        ("TCP_KEEPCNT", 2),
        ("TCP_USER_TIMEOUT", VANISHED * 1000),
    ):
        if (number := getattr(socket, option, None)) is not None:  # each system knows other ones
            sock.setsockopt(socket.IPPROTO_TCP, number, value)
    return sock


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def open_files() -> int:
    """Raise the limit on open files as far as the system lets a process, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # a system may allow less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return MANY_FILES if soft == resource.RLIM_INFINITY else soft
