"""What workers do: how busy, how far behind, in what batches, and what they hear."""

from grafana_foundation_sdk.models import dashboard

from monitoring import goals
from tools.dashboards.board import Row, board
from tools.dashboards.panels import ANY_IS_BAD, Look, Panel, Query, Unit, distribution, lines, percent, seconds
from tools.dashboards.queries import counted, gauge, mean, quantile, rate, ratio


def inference() -> dashboard.Dashboard:
    """The dashboard."""
    return board(
        "livecaptions-inference",
        "Live captions: inference",
        "Workers: how busy they are, how far behind, in what batches they decode, and what they hear.",
        [
            Row("How busy are the workers?", _busy()),
            Row("How far behind are they?", _behind()),
            Row("Decodes", _decodes()),
            Row("Captions", _captions()),
            Row("Speech", _speech()),
        ],
    )


def _busy() -> list[Panel]:
    device = "on (instance) group_left (device) livecaptions_model_info"
    return [
        lines(
            Look(
                "Device busy",
                "The share of its time that a worker's CPU threads or GPU decode. Good: under 80 %. At 100 % partials "
                "thin out and then finals are late: add workers.",
                Unit.SHARE,
            ),
            Query(f"{rate('decode_seconds_total', 'instance')} * {device}", "{{instance}} {{device}}"),
            goal=goals.Goal(0.8, 0.95),
        ),
        lines(
            Look(
                "Real-time factor",
                "Seconds of decoding for each second of audio decoded, by kind. Good: well under 1 over the number of "
                "streams. Grows where the machine is shared or throttled.",
                Unit.RATIO,
            ),
            Query(
                ratio(rate("decode_seconds_total", "kind"), rate("decoded_audio_seconds_total", "kind")),
                "{{kind}}, mean",
            ),
            Query(gauge("real_time_factor_ratio", "kind", fold="max"), "{{kind}}, slowest worker's last batch"),
            goal=goals.REAL_TIME_FACTOR,
        ),
        lines(
            Look(
                "Streams",
                "Tracks with speech on each worker. Good: spread evenly; Kafka spreads partitions, not tracks.",
                Unit.COUNT,
            ),
            Query(gauge("streams", "instance"), "{{instance}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Processor",
                "Cores that each process uses, decoding and all else. Good: below the cores it may have.",
                Unit.COUNT,
            ),
            Query(rate("process_cpu_seconds_total", "instance"), "{{instance}}"),
        ),
        lines(
            Look("Memory", "Resident memory of each process. Good: level after the first minutes.", Unit.BYTES),
            Query(gauge("process_resident_memory_bytes", "instance"), "{{instance}}"),
        ),
        lines(
            Look(
                "Models",
                "Workers by the model they run. Good: one line, but while a new one is rolled out.",
                Unit.COUNT,
            ),
            Query(gauge("model_info", "model", "compute_type", "device"), "{{model}} {{compute_type}} {{device}}"),
            stacked=True,
        ),
    ]


def _behind() -> list[Panel]:
    owned = f"(count({gauge('partition_assigned', 'partition', fold='max')} > 0) or vector(0))"
    return [
        lines(
            Look(
                "Audio behind, by partition",
                "How long the oldest audio of a partition that no decode has heard has waited. Good: under "
                f"{seconds(goals.AUDIO_BEHIND.good)}. One line growing: that partition's worker; all: too few workers.",
                Unit.SECONDS,
            ),
            Query(gauge("audio_behind_seconds", "partition", fold="max"), "partition {{partition}}"),
            goal=goals.AUDIO_BEHIND,
        ),
        lines(
            Look(
                "Utterances that wait for a decode",
                "The queue of each worker. Good: a few, back at zero now and then.",
                Unit.COUNT,
            ),
            Query(gauge("decode_queue_utterances", "instance"), "{{instance}}"),
        ),
        lines(
            Look(
                "Consumer lag",
                "Records between a partition's end and what its worker has committed. Never zero while somebody "
                "speaks: an utterance is committed when it is final. Good: falls back after each utterance.",
                Unit.COUNT,
            ),
            Query(gauge("consumer_lag_records", "partition", fold="max"), "partition {{partition}}"),
        ),
        lines(
            Look(
                "Partitions without a worker",
                "Of topic audio. Good: zero but for the seconds of a rebalance; who speaks there is not captioned.",
                Unit.COUNT,
            ),
            Query(f"{gauge('audio_partitions', fold='max')} - {owned}", "without a worker"),
            goal=ANY_IS_BAD,
        ),
        lines(
            Look(
                "Partitions of each worker",
                "Good: shared evenly, and still.",
                Unit.COUNT,
            ),
            Query(gauge("partition_assigned", "instance"), "{{instance}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Rebalances",
                "Within the time shown, by worker. Good: steps only where workers came or went; many: heartbeats are "
                "missed.",
                Unit.COUNT,
            ),
            Query(counted("rebalances_total", "instance"), "{{instance}}"),
        ),
    ]


def _decodes() -> list[Panel]:
    return [
        lines(
            Look(
                "Windows in a batch",
                "Decoded together. One while there is time for each; grows with load, up to max_batch.",
                Unit.COUNT,
            ),
            Query(mean("decode_batch_windows", "kind"), "{{kind}}, mean"),
            Query(quantile(0.95, "decode_batch_windows", "kind"), "{{kind}}, 95 in 100 up to"),
        ),
        lines(
            Look(
                "Batches",
                "Decoded in a second, by kind. Partials come several times as often as finals.",
                Unit.PER_SECOND,
            ),
            Query(rate("decode_batch_windows_count", "kind"), "{{kind}}"),
        ),
        lines(
            Look(
                "Audio decoded",
                "Seconds of audio for each second; partials hear the same audio again and again. Partials falling "
                "while finals stay: overload thins them out, as it should.",
                Unit.COUNT,
            ),
            Query(rate("decoded_audio_seconds_total", "kind"), "{{kind}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Windows decoded again",
                "By the loop gate, at the full 30 s, in a minute. Good: one or two in a hundred finals. They cost "
                "several times the work.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('windows_redecoded_total')}", "decoded again"),
        ),
        lines(
            Look(
                "Failed batches and dead letters",
                "Within the time shown. Good: none. A batch is tried again; what fails thrice is a dead letter.",
                Unit.COUNT,
            ),
            Query(counted("decode_failures_total"), "batches failed"),
            Query(counted("dead_letter_records_total", "kind"), "dead letter: {{kind}}"),
            goal=ANY_IS_BAD,
        ),
        lines(
            Look(
                "Log errors",
                "Appends, reads and commits that failed, of all processes, within the time shown. Good: none.",
                Unit.COUNT,
            ),
            Query(counted("log_errors_total", "operation"), "{{operation}}"),
            goal=ANY_IS_BAD,
        ),
    ]


def _captions() -> list[Panel]:
    return [
        lines(
            Look("Captions published", "In a second. Several partials for each final.", Unit.PER_SECOND),
            Query(rate("partials_published_total"), "partials"),
            Query(rate("finals_published_total"), "finals"),
        ),
        lines(
            Look(
                "Between two partials",
                "Of one utterance. Good: near partial_interval; grows with load before anything else suffers.",
                Unit.SECONDS,
            ),
            Query(quantile(0.5, "partial_interval_seconds"), "half within"),
            Query(quantile(0.95, "partial_interval_seconds"), "95 in 100 within"),
            goal=goals.Goal(0.8, 2.0),
        ),
        lines(
            Look(
                "Words taken back",
                f"For each word of the finals; case and punctuation aside. Goal: {percent(goals.ERASURE.good)}.",
                Unit.SHARE,
            ),
            Query(ratio(rate("words_erased_total"), rate("words_published_total")), "taken back"),
            goal=goals.ERASURE,
        ),
        distribution(
            Look(
                "Word shown",
                f"Words by how late they were shown. Good: {_bright(goals.WORD_SHOWN)}.",
                Unit.SECONDS,
            ),
            Query(rate("word_shown_seconds_bucket", "le"), "{{le}}"),
        ),
        distribution(
            Look("Finals", f"Finals by how late they were. Good: {_bright(goals.FINAL)}.", Unit.SECONDS),
            Query(rate("final_seconds_bucket", "le"), "{{le}}"),
        ),
        distribution(
            Look("Confidence", "Words of finals by the model's confidence. Good: bright on top.", Unit.RATIO),
            Query(rate("word_confidence_bucket", "le"), "{{le}}"),
        ),
    ]


def _bright(goal: goals.Goal) -> str:
    return f"bright under {seconds(goal.good)}, dark over {seconds(goal.bearable)}"


def _speech() -> list[Panel]:
    return [
        lines(
            Look(
                "Lengths of utterances",
                "Sentences are 2 to 8 s. Many at longest_utterance: nobody pauses, or music; many under a second: "
                "noise.",
                Unit.SECONDS,
            ),
            Query(quantile(0.5, "utterance_seconds"), "half within"),
            Query(quantile(0.95, "utterance_seconds"), "95 in 100 within"),
        ),
        lines(
            Look(
                "What ends utterances",
                "In a minute. A pause, mostly; cuts mean speech without one, stalls mean audio that stopped coming.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('utterance_seconds_count', 'reason')}", "{{reason}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Gates fired",
                "Words withheld as made up, in a minute, by gate. A few are normal in noise.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('gates_fired_total', 'gate')}", "{{gate}}"),
            stacked=True,
        ),
    ]
