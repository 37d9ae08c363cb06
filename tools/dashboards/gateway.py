"""What gateways do: their sockets, their viewers, what they refuse, and what they add to every latency."""

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
        "Gateways: speakers and viewers on their sockets, refusals, and what the gateway adds to every latency.",
        [
            Row("Speakers", _speakers()),
            Row("Viewers", _viewers()),
            Row("Refusals and pages", _http()),
            Row("The gateway's own share of latency", _latency()),
            Row("Processes", _processes()),
        ],
    )


def _speakers() -> list[Panel]:
    return [
        lines(
            Look("Speakers at each gateway", "Publishers connected to each gateway. Good: spread evenly.", Unit.COUNT),
            Query(gauge("sessions", "instance"), "{{instance}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Speakers' connections ended",
                "In a minute, by outcome. Good: done, when talks end. Lost ones come back by themselves: many mean a "
                "bad network or a gateway that restarts.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('session_ends_total', 'outcome')}", "{{outcome}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Audio received and speech logged",
                "Seconds for each second. Received is about the number of speakers in real time; logged is the part "
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
            Look("Viewers at each gateway", "Connected to each gateway, by kind. Good: spread evenly.", Unit.COUNT),
            Query(gauge("viewers", "instance", "kind"), "{{instance}} {{kind}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Viewers' connections ended",
                "In a minute, by outcome. slow_consumer: read too slowly and was let go; it can resume. Many of "
                "those: a bad network in the hall.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('viewer_ends_total', 'outcome')}", "{{outcome}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Partials dropped",
                "In a second: a newer one was there before a slow viewer had read it. Nobody misses them; many mean "
                "that viewers' networks are slow.",
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
                "In a second, by socket and direction. Publishers send 10 to 50 each; a view socket carries every "
                "caption.",
                Unit.PER_SECOND,
            ),
            Query(rate("socket_messages_total", "socket", "direction"), "{{socket}} {{direction}}"),
            width=6,
        ),
        lines(
            Look(
                "Refusals",
                "In a minute, by code. too_many: add gateways or raise the limits. overloaded: add workers. "
                "unauthorized, bad_request: somebody's client.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('refusals_total', 'code')}", "{{code}}"),
            stacked=True,
            width=6,
        ),
        lines(
            Look(
                "Audio warnings",
                "Sessions warned of their audio in a minute, by code: docs/protocol.md says what each means. "
                "Many of one code: somebody's client or microphone.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('audio_warnings_total', 'code')}", "{{code}}"),
            stacked=True,
            width=6,
        ),
        lines(
            Look("Requests", "Pages and REST in a second, by route; sockets are not among them.", Unit.REQUESTS),
            Query(answered, "{{route}}"),
            stacked=True,
            width=6,
        ),
        lines(
            Look(
                "Failed requests", "The share of requests of a route that failed by our fault. Good: none.", Unit.SHARE
            ),
            Query(ratio(failed, answered), "{{route}}"),
            goal=ANY_IS_BAD,
        ),
        lines(
            Look(
                "Time of requests",
                "95 in 100 of each route were answered within this. Good: under 0.1 s.",
                Unit.SECONDS,
            ),
            Query(quantile(0.95, "http_request_seconds", "route"), "{{route}}"),
            goal=goals.Goal(0.1, 1.0),
        ),
        lines(
            Look(
                "Draining",
                "Gateways that let their sessions go before they stop. Good: none but in a roll-out.",
                Unit.COUNT,
            ),
            Query(gauge("draining", "instance"), "{{instance}}"),
        ),
    ]


def _latency() -> list[Panel]:
    return [
        lines(
            Look(
                "Putting a segment on the log",
                "Half, 95 and 99 in 100 within this; every caption waits for it. In memory far under a millisecond, "
                "on Kafka a few. Growing: look at the brokers.",
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
                "How long what is due waits for its turn, 99 in 100 within this. Goal: "
                f"{goals.EVENT_LOOP_LAG.good * 1000:g} ms. More: the gateway has too many speakers for its core.",
                Unit.SECONDS,
            ),
            Query(quantile(0.99, "event_loop_lag_seconds", "instance"), "{{instance}}"),
            goal=goals.EVENT_LOOP_LAG,
        ),
        lines(
            Look(
                "Log errors",
                "Appends, reads and commits that failed, within the time shown, by process. Good: none. While the log "
                "is away speakers' audio is not acknowledged; their clients keep it.",
                Unit.COUNT,
            ),
            Query(counted("log_errors_total", "instance", "operation"), "{{instance}} {{operation}}"),
            goal=ANY_IS_BAD,
        ),
        distribution(
            Look("Log appends", "Segments by how long the log took. Good: one bright band, low.", Unit.SECONDS),
            Query(rate("segment_append_seconds_bucket", "le"), "{{le}}"),
            width=12,
        ),
        distribution(
            Look(
                "Event loop", "Looks at the event loop by how late they came. Good: bright at the bottom.", Unit.SECONDS
            ),
            Query(rate("event_loop_lag_seconds_bucket", "le"), "{{le}}"),
            width=12,
        ),
    ]


def _processes() -> list[Panel]:
    return [
        lines(
            Look("Processor", "Cores that each process uses. A gateway is bound by one.", Unit.COUNT),
            Query(rate("process_cpu_seconds_total", "instance"), "{{instance}}"),
            width=6,
        ),
        lines(
            Look("Memory", "Resident memory of each process. Good: level.", Unit.BYTES),
            Query(gauge("process_resident_memory_bytes", "instance"), "{{instance}}"),
            width=6,
        ),
        lines(
            Look("Open files", "The share of the limit that sockets and files take. Good: under 80 %.", Unit.SHARE),
            Query(ratio(gauge("process_open_fds", "instance"), gauge("process_max_fds", "instance")), "{{instance}}"),
            goal=goals.Goal(0.8, 0.95),
            width=6,
        ),
        lines(
            Look("Versions", "Processes by version. Good: one line, but in a roll-out.", Unit.COUNT),
            Query(gauge("build_info", "version"), "{{version}}"),
            stacked=True,
            width=6,
        ),
    ]
