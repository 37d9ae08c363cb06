"""Metrics of a gateway: rate, errors and duration of its sockets and requests, and the received audio."""

from collections.abc import Sequence

from prometheus_client import Counter, Gauge

from captions.audio_warnings import WarningCode
from captions.connection_end import ConnectionEnd
from captions.errors import REFUSALS, BadRequest, Internal, ShuttingDown, SlowConsumer
from captions.limits import Limit, Scope
from monitoring import buckets
from monitoring.families import Families
from monitoring.process_metrics import PrometheusProbe

SOCKETS = ("publish", "view")
DIRECTIONS = ("in", "out")
VIEWERS = ("ws", "sse")
CODES = tuple(refusal.code for refusal in REFUSALS)
SESSION_ENDS = ("done", "away", *CODES)
VIEWER_ENDS = ("left", SlowConsumer.code, BadRequest.code, ShuttingDown.code, Internal.code)
DECODER_STOPS = ("crash", "cpu", "memory", "hang", "killed", "lost")
MOST_TENANTS = 100
"""Tenants with series of their own. Tenants of keys and JWTs come as they please, and a series is for ever."""
OTHER = "other"
UTTERANCE_ENDS = ("endpoint", "longest", "finalize", "stall", "end")


class GatewayProbe(PrometheusProbe):
    """The gateway's hooks.

    ``tenants`` have series from the start, and others from when they come; None means no metrics by tenant.
    """

    def __init__(self, families: Families, version: str, tenants: Sequence[str] | None = None) -> None:
        super().__init__(families, version)
        self._sessions = families.gauge("sessions", "Connected publishers.", multiprocess_mode="livesum")
        self._session_ends = families.counter("session_ends", "Ended publisher connections, by outcome.", "outcome")
        self._viewers = families.gauge("viewers", "Connected viewers, by kind.", "kind", multiprocess_mode="livesum")
        self._viewer_ends = families.counter(
            "viewer_ends", "Ended viewer connections, by kind and outcome.", "kind", "outcome"
        )
        for kind in ("ws", "sse"):
            self._viewer_ends.labels(kind, "slow_consumer")
        self._refusals = families.counter("refusals", "Refused requests, by code.", "code")
        for code in ("too_many", "overloaded"):
            self._refusals.labels(code)
        self._limited = families.counter(
            "limited",
            "Refusals because of a limit of a key, tenant or address; with limit speed, sessions that were slowed.",
            "limit",
            "scope",
        )
        warnings = families.counter("audio_warnings", "Warnings to publishers about their audio, by code.", "code")
        self._warnings = {code: warnings.labels(code) for code in WarningCode}
        self._decoder_stops = families.counter(
            "decoder_stops", "Processes of containers' decoders that stopped before their stream, by reason.", "reason"
        )
        messages = families.counter(
            "socket_messages", "WebSocket messages, by socket and direction.", "socket", "direction"
        )  # fmt: skip
        self._messages = {pair: messages.labels(*pair) for pair in ((s, d) for s in SOCKETS for d in DIRECTIONS)}
        self._requests = families.counter(
            "http_requests", "Plain HTTP requests, by route template.", "route", "method", "status"
        )
        self._request = families.histogram(
            "http_request_seconds",
            "Time from a plain HTTP request to the start of its response.",
            buckets.HTTP,
            "route",
        )
        closed = families.counter(
            "connections_closed", "Connections closed or not taken by the server's limits, by reason.", "reason"
        )
        self._closed = {end: closed.labels(end) for end in ConnectionEnd}
        self._audio(families)
        self._awaited = families.gauge(
            "finals_awaited",
            "Utterances that ended at this gateway and have no final yet.",
            multiprocess_mode="livesum",
        )
        self._overdue = families.gauge(
            "finals_overdue_seconds",
            "The longest wait of an ended utterance for its final.",
            multiprocess_mode="livemax",
        )
        self._dropped = families.counter("partials_dropped", "Superseded partials not sent to viewers.")
        self._draining = families.gauge("draining", "1 while the gateway stops.", multiprocess_mode="livemax")
        self._of_tenants(families, tenants)
        self._from_zero()

    def _from_zero(self) -> None:
        """Create all series at 0. Otherwise rates would miss the first event of a series."""
        for outcome in SESSION_ENDS:
            self._session_ends.labels(outcome)
        for kind in VIEWERS:
            self._viewers.labels(kind)
            for outcome in VIEWER_ENDS:
                self._viewer_ends.labels(kind, outcome)
        for code in CODES:
            self._refusals.labels(code)
        for limit in Limit:
            for scope in Scope:
                self._limited.labels(limit, scope)
        for reason in UTTERANCE_ENDS:
            self._utterances.labels(reason)
        for reason in DECODER_STOPS:
            self._decoder_stops.labels(reason)

    def _audio(self, families: Families) -> None:
        self._received = families.counter("audio_received_seconds", "Audio received from publishers.")
        self._logged = families.counter("audio_logged_seconds", "Speech appended to the log.")
        self._append = families.histogram(
            "segment_append_seconds", "Time to append a segment to the log.", buckets.APPEND
        )
        self._utterances = families.histogram(
            "utterance_seconds", "Lengths of utterances, by the reason for their end.", buckets.UTTERANCE, "reason"
        )

    def _of_tenants(self, families: Families, tenants: Sequence[str] | None) -> None:
        self._tenants: dict[str, tuple[Gauge, Counter]] | None = None
        if tenants is None:
            return
        sessions = families.gauge(
            "tenant_sessions", "Connected publishers, by tenant.", "tenant", multiprocess_mode="livesum"
        )
        audio = families.counter("tenant_audio_seconds", "Audio received from publishers, by tenant.", "tenant")
        self._by_tenant = sessions, audio
        self._tenants = {}
        for tenant in tenants:
            self._of_tenant(tenant)

    def _of_tenant(self, tenant: str | None) -> tuple[Gauge, Counter] | None:
        """The series of a tenant; those of ``other`` for tenants beyond the first ``MOST_TENANTS``."""
        if self._tenants is None or tenant is None:
            return None
        if (series := self._tenants.get(tenant)) is None:
            if len(self._tenants) >= MOST_TENANTS and tenant != OTHER:
                return self._of_tenant(OTHER)
            sessions, audio = self._by_tenant
            series = self._tenants[tenant] = sessions.labels(tenant), audio.labels(tenant)
        return series

    def http_answered(self, route: str, method: str, status: int, took: float) -> None:
        """A plain HTTP request was answered."""
        self._requests.labels(route, method, status).inc()
        self._request.labels(route).observe(took)

    def connection_closed(self, end: ConnectionEnd) -> None:
        """The server's limits closed a connection."""
        self._closed[end].inc()

    def session_opened(self, tenant: str | None = None) -> None:
        """A publisher connected."""
        self._sessions.inc()
        if (series := self._of_tenant(tenant)) is not None:
            series[0].inc()

    def session_closed(self, outcome: str, tenant: str | None = None) -> None:
        """A publisher's connection ended."""
        self._sessions.dec()
        self._session_ends.labels(outcome).inc()
        if (series := self._of_tenant(tenant)) is not None:
            series[0].dec()

    def viewer_opened(self, kind: str) -> None:
        """A viewer connected."""
        self._viewers.labels(kind).inc()

    def viewer_closed(self, kind: str, outcome: str) -> None:
        """A viewer's connection ended."""
        self._viewers.labels(kind).dec()
        self._viewer_ends.labels(kind, outcome).inc()

    def refused(self, code: str) -> None:
        """A request was refused."""
        self._refusals.labels(code).inc()

    def limited(self, limit: str, scope: str) -> None:
        """A limit of a key, tenant or address refused or slowed a client."""
        self._limited.labels(limit, scope).inc()

    def audio_warned(self, code: WarningCode) -> None:
        """A warning about its audio was sent to a publisher."""
        self._warnings[code].inc()

    def decoder_stopped(self, reason: str) -> None:
        """The process of a container's decoder stopped early."""
        self._decoder_stops.labels(reason).inc()

    def socket_message(self, socket: str, direction: str, count: int = 1) -> None:
        """Messages passed a socket."""
        self._messages[socket, direction].inc(count)

    def audio_received(self, duration: float, tenant: str | None = None) -> None:
        """Audio was received from a publisher."""
        self._received.inc(duration)
        if (series := self._of_tenant(tenant)) is not None:
            series[1].inc(duration)

    def segment_logged(self, duration: float, took: float) -> None:
        """A segment was appended to the log."""
        self._logged.inc(duration)
        self._append.observe(took)

    def utterance_ended(self, duration: float, reason: str) -> None:
        """The segmenter ended an utterance."""
        self._utterances.labels(reason).observe(duration)

    def finals_awaited(self, count: int, longest: float) -> None:
        """Ended utterances wait for their finals."""
        self._awaited.set(count)
        self._overdue.set(longest)

    def partials_dropped(self, count: int) -> None:
        """Superseded partials were not sent."""
        self._dropped.inc(count)

    def draining(self) -> None:
        """The gateway is stopping."""
        self._draining.set(1)
