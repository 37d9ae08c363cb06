"""How Kafka is reached, and the defaults of aiokafka that are changed, each with its reason."""

import ssl
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from captions.errors import SetupError

DEFAULT_PORT = 9092

Compression = Literal["none", "lz4", "zstd"]
Login = Literal["none", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """Settings of one process's connections. Durations are seconds.

    ``sasl`` asks for a user name and a password; ``tls`` may name a file of certificate authorities, and a certificate
    and key of our own where the broker asks for them.
    """

    bootstrap: tuple[str, ...]
    """``host:port`` of some brokers; they tell the rest."""
    prefix: str = ""
    """Put before every topic and group name, so that installations can share a cluster."""

    tls: bool = False
    tls_ca: str | None = None
    tls_certificate: str | None = None
    tls_key: str | None = None
    sasl: Login = "none"
    username: str | None = None
    password: str | None = None

    session_timeout: float = 1.5
    """A member not heard of for so long is dead. Measured: its partitions are taken over 1.4 s after kill -9 with
    1.5 s, 7.8 s after it with aiokafka's 10 s. Brokers refuse less than their group.min.session.timeout.ms, which is
    6 s unless set lower."""
    heartbeats: int = 5
    """In a session timeout; members also learn of a rebalance by one, so that few means slow takeovers."""
    rebalance_timeout: float = 5.0
    """What a group waits for members that do not join anew."""
    fetch_wait: float = 0.1
    """A fetch waits so long for news of its partitions. One that is resumed or added waits for it: aiokafka's 0.5 s
    would be seen in captions."""
    compression: Compression = "none"
    """Of batches of records: docs/kafka.md has what was measured."""
    start_timeout: float = 60.0
    """What is waited for the brokers at start."""
    request_timeout: float = 20.0
    """Of one request."""

    def connection(self) -> dict[str, Any]:
        """Arguments of every client of aiokafka. Raises ``SetupError`` for a certificate that cannot be read."""
        kind = ("SASL_" if self.sasl != "none" else "") + ("SSL" if self.tls else "PLAINTEXT")
        arguments: dict[str, Any] = {
            "bootstrap_servers": list(self.bootstrap),
            "security_protocol": kind.removeprefix("SASL_") if self.sasl == "none" else kind,
            "request_timeout_ms": _milliseconds(self.request_timeout),
            "retry_backoff_ms": 100,
            "metadata_max_age_ms": 30_000,  # a broker that took a leadership over is found by its errors; this is a net
        }
        if self.tls:
            arguments["ssl_context"] = self._tls_context()
        if self.sasl != "none":
            arguments["sasl_mechanism"] = self.sasl
            arguments["sasl_plain_username"] = self.username
            arguments["sasl_plain_password"] = self.password
        return arguments

    def producer(self) -> dict[str, Any]:
        """Arguments of a producer: what it acknowledged is on every in-sync replica, once, in order."""
        return {
            **self.connection(),
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 0,  # a caption does not wait for company
            "compression_type": None if self.compression == "none" else self.compression,
        }

    def reader(self) -> dict[str, Any]:
        """Arguments of a consumer outside any group."""
        return {
            **self.connection(),
            "enable_auto_commit": False,  # offsets are committed when utterances are final
            "auto_offset_reset": "earliest",  # what is retained and unread is never skipped
            "fetch_max_wait_ms": _milliseconds(self.fetch_wait),
        }

    def member(self) -> dict[str, Any]:
        """Arguments of a consumer in a group; no static membership, it would not leave at once."""
        return {
            **self.reader(),
            "session_timeout_ms": _milliseconds(self.session_timeout),
            "heartbeat_interval_ms": _milliseconds(self.session_timeout / self.heartbeats),
            "rebalance_timeout_ms": _milliseconds(self.rebalance_timeout),
            "max_poll_interval_ms": 300_000,  # polls are never held up by decodes, which have a thread of their own
        }

    def _tls_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.tls_ca)
            if self.tls_certificate is not None:
                context.load_cert_chain(self.tls_certificate, self.tls_key)
        except (OSError, ssl.SSLError) as error:
            raise SetupError(f"the certificates for Kafka cannot be read: {error}") from error
        return context


def parse_address(address: str) -> tuple[str, ...]:
    """The brokers of ``kafka://HOST[:PORT][,HOST[:PORT]...]``. Raises ``SetupError``."""
    hint = f"{address!r} is no transport; write kafka://HOST:PORT, or memory"
    scheme, _, rest = address.partition("://")
    if scheme != "kafka" or not rest or "/" in rest or "@" in rest:
        raise SetupError(hint)
    return tuple(_host_and_port(part, hint) for part in rest.split(","))


def _host_and_port(text: str, hint: str) -> str:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port or DEFAULT_PORT
    except ValueError as error:
        raise SetupError(hint) from error
    if not host:
        raise SetupError(hint)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
