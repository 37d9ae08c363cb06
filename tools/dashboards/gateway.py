"""The dashboard of gateways: sockets, viewers, refusals, and the latency that gateways add."""

from grafana_foundation_sdk.models import dashboard

from monitoring import goals
from tools.dashboards.board import Row, board
from tools.dashboards.panels import ANY_IS_BAD, Look, Panel, Query, Unit, distribution, lines
from tools.dashboards.queries import Pattern, counted, gauge, quantile, rate, ratio


def gateway() -> dashboard.Dashboard:
    """The dashboard."""
    return board(
        "livecaptions-gateway",
        "Live captions: gateway",
        "Gateways: connected speakers and viewers, refusals, and the latency that gateways add.",
        [
            Row("Speakers", _speakers()),
            Row("Viewers", _viewers()),
            Row("Refusals and pages", _http()),
            Row("Latency added by the gateway", _latency()),
            Row("Processes", _processes()),
        ],
    )


def _speakers() -> list[Panel]:
    return [
        lines(
            Look("Speakers at each gateway", "Connected publishers per gateway. Good: spread evenly.", Unit.COUNT),
            Query(gauge("sessions", "instance"), "{{instance}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Ended speaker connections",
                "Ended connections per minute, by outcome. Good: done, when talks end. Lost connections "
                "reconnect by themselves; many mean a bad network or a gateway that keeps restarting.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('session_ends_total', 'outcome')}", "{{outcome}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Audio received and speech logged",
                "Seconds of audio per second. Received is about the number of speakers; logged is the part "
                "of it that is speech.",
                Unit.COUNT,
            ),
            Query(rate("audio_received_seconds_total"), "received"),
            Query(rate("audio_logged_seconds_total"), "speech logged"),
        ),
    ]


def _viewers() -> list[Panel]:
    return [
        lines(
            Look("Viewers at each gateway", "Connected viewers per gateway, by kind. Good: spread evenly.", Unit.COUNT),
            Query(gauge("viewers", "instance", "kind"), "{{instance}} {{kind}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Ended viewer connections",
                "Ended connections per minute, by outcome. slow_consumer: the viewer read too slowly and was "
                "disconnected; it can resume. Many of those mean a bad network at the viewers.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('viewer_ends_total', 'outcome')}", "{{outcome}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Partials dropped",
                "Partials per second that were replaced by newer ones before a slow viewer had read them. "
                "Viewers lose no text. Many mean that viewers' networks are slow.",
                Unit.PER_SECOND,
            ),
            Query(rate("partials_dropped_total", "instance"), "{{instance}}"),
        ),
    ]


def _http() -> list[Panel]:
    answered = rate("http_requests_total", "route")
    failed = f"({rate('http_requests_total', 'route', status=Pattern('5..'))} or 0 * {answered})"
    return [
        lines(
            Look(
                "Socket messages",
                "Messages per second, by socket and direction. A publisher sends 10 to 50; a view socket "
                "carries every caption.",
                Unit.PER_SECOND,
            ),
            Query(rate("socket_messages_total", "socket", "direction"), "{{socket}} {{direction}}"),
            width=6,
        ),
        lines(
            Look(
                "Refusals",
                "Refused requests per minute, by code. too_many: add gateways or raise the limits. "
                "overloaded: add workers. unauthorized, bad_request: a client is configured wrongly.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('refusals_total', 'code')}", "{{code}}"),
            stacked=True,
            width=6,
        ),
        lines(
            Look(
                "Audio warnings",
                "Warnings to publishers per minute, by code. docs/protocol.md explains the codes. Many of "
                "one code mean a faulty client or microphone.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('audio_warnings_total', 'code')}", "{{code}}"),
            stacked=True,
            width=6,
        ),
        lines(
            Look(
                "Requests",
                "Requests for pages and REST per second, by route. WebSockets are not included.",
                Unit.REQUESTS,
            ),
            Query(answered, "{{route}}"),
            stacked=True,
            width=6,
        ),
        lines(
            Look(
                "Failed requests",
                "The share of requests per route that failed with a server error. Good: none.",
                Unit.SHARE,
            ),
            Query(ratio(failed, answered), "{{route}}"),
            goal=ANY_IS_BAD,
        ),
        lines(
            Look(
                "Response time",
                "p95 of the response time per route. Good: under 0.1 s.",
                Unit.SECONDS,
            ),
            Query(quantile(0.95, "http_request_seconds", "route"), "{{route}}"),
            goal=goals.Goal(0.1, 1.0),
        ),
        lines(
            Look(
                "Draining",
                "Gateways that are draining before they stop. Good: none, except during a roll-out.",
                Unit.COUNT,
            ),
            Query(gauge("draining", "instance"), "{{instance}}"),
        ),
    ]


def _latency() -> list[Panel]:
    return [
        lines(
            Look(
                "Segment append time",
                "p50, p95 and p99 of the time to append a segment. Every caption waits for it. Good: far "
                "under a millisecond in memory, a few milliseconds on Kafka. Growing: check the brokers.",
                Unit.SECONDS,
            ),
            Query(quantile(0.5, "segment_append_seconds"), "half within"),
            Query(quantile(0.95, "segment_append_seconds"), "95 in 100 within"),
            Query(quantile(0.99, "segment_append_seconds"), "99 in 100 within"),
            goal=goals.Goal(0.025, 0.1),
        ),
        lines(
            Look(
                "Event loop lag",
                f"p99 of the delay of callbacks in the event loop. Goal: {goals.EVENT_LOOP_LAG.good * 1000:g} "
                "ms. Higher: the gateway has too many speakers for its core.",
                Unit.SECONDS,
            ),
            Query(quantile(0.99, "event_loop_lag_seconds", "instance"), "{{instance}}"),
            goal=goals.EVENT_LOOP_LAG,
        ),
        lines(
            Look(
                "Log errors",
                "Failed appends, reads and commits in the time range, by process. Good: none. While the log "
                "is unreachable, audio is not acknowledged and publishers keep it.",
                Unit.COUNT,
            ),
            Query(counted("log_errors_total", "instance", "operation"), "{{instance}} {{operation}}"),
            goal=ANY_IS_BAD,
        ),
        distribution(
            Look(
                "Log appends",
                "Segments by the time of their append. Good: one bright band near the bottom.",
                Unit.SECONDS,
            ),
            Query(rate("segment_append_seconds_bucket", "le"), "{{le}}"),
            width=12,
        ),
        distribution(
            Look(
                "Event loop", "Measurements of the event loop by their delay. Good: bright at the bottom.", Unit.SECONDS
            ),
            Query(rate("event_loop_lag_seconds_bucket", "le"), "{{le}}"),
            width=12,
        ),
    ]


def _processes() -> list[Panel]:
    return [
        lines(
            Look("Processor", "CPU cores that each process uses. A gateway can use one at most.", Unit.COUNT),
            Query(rate("process_cpu_seconds_total", "instance"), "{{instance}}"),
            width=6,
        ),
        lines(
            Look("Memory", "Resident memory per process. Good: constant.", Unit.BYTES),
            Query(gauge("process_resident_memory_bytes", "instance"), "{{instance}}"),
            width=6,
        ),
        lines(
            Look("Open files", "Open files and sockets as a share of the limit. Good: under 80 %.", Unit.SHARE),
            Query(ratio(gauge("process_open_fds", "instance"), gauge("process_max_fds", "instance")), "{{instance}}"),
            goal=goals.Goal(0.8, 0.95),
            width=6,
        ),
        lines(
            Look("Versions", "Processes by version. Good: one line, except during a roll-out.", Unit.COUNT),
            Query(gauge("build_info", "version"), "{{version}}"),
            stacked=True,
            width=6,
        ),
    ]
