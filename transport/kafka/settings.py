"""Connection settings for Kafka, and the changed defaults of aiokafka with the reason for each."""

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

    ``sasl`` needs ``username`` and ``password``. With ``tls``, ``tls_ca`` is a file of certificate authorities, and
    ``tls_certificate`` and ``tls_key`` are the client's files for brokers that require them.
    """

    bootstrap: tuple[str, ...]
    """``host:port`` of some brokers. The client learns about the others from them."""
    prefix: str = ""
    """A prefix for all topic and group names, so that installations can share a cluster."""

    tls: bool = False
    tls_ca: str | None = None
    tls_certificate: str | None = None
    tls_key: str | None = None
    sasl: Login = "none"
    username: str | None = None
    password: str | None = None

    session_timeout: float = 1.5
    """A member without a heartbeat for this long is considered dead. Measured after kill -9: its partitions are taken
    over after 1.4 s with 1.5 s, and after 7.8 s with aiokafka's default of 10 s. Brokers reject values under their
    group.min.session.timeout.ms, which is 6 s by default."""
    heartbeats: int = 5
    """Heartbeats per session timeout. Members learn about a rebalance from a heartbeat, so few make takeovers slow."""
    rebalance_timeout: float = 5.0
    """How long a group waits for its members to rejoin in a rebalance."""
    fetch_wait: float = 0.1
    """How long a broker holds a fetch without new records. A resumed or added partition waits for the current fetch;
    aiokafka's default of 0.5 s would be noticeable in captions."""
    compression: Compression = "none"
    """Compression of record batches. docs/kafka.md has measurements."""
    start_timeout: float = 60.0
    """How long a start waits for the brokers."""
    request_timeout: float = 20.0
    """The timeout of one request."""

    def connection(self) -> dict[str, Any]:
        """Arguments for every aiokafka client. Raises ``SetupError`` if a certificate cannot be read."""
        kind = ("SASL_" if self.sasl != "none" else "") + ("SSL" if self.tls else "PLAINTEXT")
        arguments: dict[str, Any] = {
            "bootstrap_servers": list(self.bootstrap),
            "security_protocol": kind.removeprefix("SASL_") if self.sasl == "none" else kind,
            "request_timeout_ms": _milliseconds(self.request_timeout),
            "retry_backoff_ms": 100,
            "metadata_max_age_ms": 30_000,  # only a fallback: errors reveal a change of leader sooner
        }
        if self.tls:
            arguments["ssl_context"] = self._tls_context()
        if self.sasl != "none":
            arguments["sasl_mechanism"] = self.sasl
            arguments["sasl_plain_username"] = self.username
            arguments["sasl_plain_password"] = self.password
        return arguments

    def producer(self) -> dict[str, Any]:
        """Arguments for the producer. An acknowledged record is on every in-sync replica, once and in order."""
        return {
            **self.connection(),
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 0,  # send each caption at once instead of waiting to fill a batch
            "compression_type": None if self.compression == "none" else self.compression,
        }

    def reader(self) -> dict[str, Any]:
        """Arguments for a consumer outside any group."""
        return {
            **self.connection(),
            "enable_auto_commit": False,  # offsets are committed when utterances are final
            "auto_offset_reset": "earliest",  # never skip retained records
            "fetch_max_wait_ms": _milliseconds(self.fetch_wait),
        }

    def member(self) -> dict[str, Any]:
        """Arguments for a consumer in a group. Membership is not static: a static member does not leave immediately."""
        return {
            **self.reader(),
            "session_timeout_ms": _milliseconds(self.session_timeout),
            "heartbeat_interval_ms": _milliseconds(self.session_timeout / self.heartbeats),
            "rebalance_timeout_ms": _milliseconds(self.rebalance_timeout),
            "max_poll_interval_ms": 300_000,  # decodes run in threads, so they do not delay polls
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
    """Parse ``kafka://HOST[:PORT][,HOST[:PORT]...]`` into ``HOST:PORT`` strings. Raises ``SetupError``."""
    hint = f"{address!r} is not a valid transport; use kafka://HOST:PORT or memory"
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
