"""The dashboard of workers: utilisation, delay, batches and decoded speech."""

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
        "Workers: how busy they are, how far behind, their batches, the second pass, and the speech that they decode.",
        [
            Row("How busy are the workers?", _busy()),
            Row("How far behind are they?", _behind()),
            Row("Decodes", _decodes()),
            Row("Captions", _captions()),
            Row("The second pass", _refined()),
            Row("Speech", _speech()),
        ],
    )


def _busy() -> list[Panel]:
    device = "on (instance) group_left (device) livecaptions_model_info"
    return [
        lines(
            Look(
                "Device busy",
                "The share of time that a worker's CPU threads or GPU spend on decoding. Good: under 80 %. "
                "At 100 %, partials become rare and then finals are late: add workers.",
                Unit.SHARE,
            ),
            Query(f"{rate('decode_seconds_total', 'instance')} * {device}", "{{instance}} {{device}}"),
            goal=goals.Goal(0.8, 0.95),
        ),
        lines(
            Look(
                "Real-time factor",
                "Seconds of decoding per second of decoded audio, by kind. Good: well under 1 divided by the "
                "number of streams. It grows if the machine is shared or throttled.",
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
                "Tracks with speech per worker. Good: spread evenly. Kafka distributes partitions, not tracks.",
                Unit.COUNT,
            ),
            Query(gauge("streams", "instance"), "{{instance}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Processor",
                "CPU cores that each process uses, for decoding and everything else. Good: below its limit.",
                Unit.COUNT,
            ),
            Query(rate("process_cpu_seconds_total", "instance"), "{{instance}}"),
        ),
        lines(
            Look("Memory", "Resident memory per process. Good: constant after the first minutes.", Unit.BYTES),
            Query(gauge("process_resident_memory_bytes", "instance"), "{{instance}}"),
        ),
        lines(
            Look(
                "Models",
                "Workers by model. Good: one line, except while a new model is rolled out.",
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
                "Age of the oldest audio that waits for a decode, per partition. Good: under "
                f"{seconds(goals.AUDIO_BEHIND.good)}. If one line grows, check the worker of that partition. "
                "If all grow, there are too few workers.",
                Unit.SECONDS,
            ),
            Query(gauge("audio_behind_seconds", "partition", fold="max"), "partition {{partition}}"),
            goal=goals.AUDIO_BEHIND,
        ),
        lines(
            Look(
                "Utterances that wait for a decode",
                "The queue of each worker. Good: a few, and back at zero from time to time.",
                Unit.COUNT,
            ),
            Query(gauge("decode_queue_utterances", "instance"), "{{instance}}"),
        ),
        lines(
            Look(
                "Consumer lag",
                "Records between the end of a partition and its committed offset. It is never zero while "
                "somebody speaks, because an utterance is committed when it is final. Good: it falls after "
                "each utterance.",
                Unit.COUNT,
            ),
            Query(gauge("consumer_lag_records", "partition", fold="max"), "partition {{partition}}"),
        ),
        lines(
            Look(
                "Partitions without a worker",
                "Partitions of topic audio without a worker. Good: zero, except for seconds during a "
                "rebalance. Tracks on these partitions get no captions.",
                Unit.COUNT,
            ),
            Query(f"{gauge('audio_partitions', fold='max')} - {owned}", "without a worker"),
            goal=ANY_IS_BAD,
        ),
        lines(
            Look(
                "Partitions of each worker",
                "Good: spread evenly and constant.",
                Unit.COUNT,
            ),
            Query(gauge("partition_assigned", "instance"), "{{instance}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Rebalances",
                "Rebalances in the time range, by worker. Good: only when workers start or stop. Many mean "
                "missed heartbeats.",
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
                "Windows that are decoded together. One while there is enough time; grows with load up to max_batch.",
                Unit.COUNT,
            ),
            Query(mean("decode_batch_windows", "kind"), "{{kind}}, mean"),
            Query(quantile(0.95, "decode_batch_windows", "kind"), "{{kind}}, 95 in 100 up to"),
        ),
        lines(
            Look(
                "Batches",
                "Batches decoded per second, by kind. Partials are several times as frequent as finals.",
                Unit.PER_SECOND,
            ),
            Query(rate("decode_batch_windows_count", "kind"), "{{kind}}"),
        ),
        lines(
            Look(
                "Audio decoded",
                "Seconds of audio decoded per second. Partials decode the same audio several times. If "
                "partials fall and finals do not, the worker reduces partials under overload, as intended.",
                Unit.COUNT,
            ),
            Query(rate("decoded_audio_seconds_total", "kind"), "{{kind}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Windows decoded again",
                "Finals per minute that the loop gate decoded again at the full 30 s. Good: one or two in a "
                "hundred finals. Each costs several times the work.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('windows_redecoded_total')}", "decoded again"),
        ),
        lines(
            Look(
                "Failed batches and dead letters",
                "Counts in the time range. Good: none. A failed batch is retried; an utterance that fails "
                "three times becomes a dead letter.",
                Unit.COUNT,
            ),
            Query(counted("decode_failures_total"), "batches failed"),
            Query(counted("dead_letter_records_total", "kind"), "dead letter: {{kind}}"),
            goal=ANY_IS_BAD,
        ),
        lines(
            Look(
                "Log errors",
                "Failed appends, reads and commits of all processes in the time range. Good: none.",
                Unit.COUNT,
            ),
            Query(counted("log_errors_total", "operation"), "{{operation}}"),
            goal=ANY_IS_BAD,
        ),
    ]


def _captions() -> list[Panel]:
    return [
        lines(
            Look("Captions published", "Captions per second. There are several partials per final.", Unit.PER_SECOND),
            Query(rate("partials_published_total"), "partials"),
            Query(rate("finals_published_total"), "finals"),
        ),
        lines(
            Look(
                "Partial interval",
                "Time between two partials of one utterance. Good: near partial_interval. Under load it grows first.",
                Unit.SECONDS,
            ),
            Query(quantile(0.5, "partial_interval_seconds"), "half within"),
            Query(quantile(0.95, "partial_interval_seconds"), "95 in 100 within"),
            goal=goals.Goal(0.8, 2.0),
        ),
        lines(
            Look(
                "Erased words",
                "Erased words per word of the finals, ignoring case and punctuation. Goal: "
                f"{percent(goals.ERASURE.good)}.",
                Unit.SHARE,
            ),
            Query(ratio(rate("words_erased_total"), rate("words_published_total")), "erased"),
            goal=goals.ERASURE,
        ),
        distribution(
            Look(
                "Word shown",
                f"Words by their latency. Good: {_bright(goals.WORD_SHOWN)}.",
                Unit.SECONDS,
            ),
            Query(rate("word_shown_seconds_bucket", "le"), "{{le}}"),
        ),
        distribution(
            Look("Finals", f"Finals by their latency. Good: {_bright(goals.FINAL)}.", Unit.SECONDS),
            Query(rate("final_seconds_bucket", "le"), "{{le}}"),
        ),
        distribution(
            Look("Confidence", "Words of finals by the model's confidence. Good: bright at the top.", Unit.RATIO),
            Query(rate("word_confidence_bucket", "le"), "{{le}}"),
        ),
    ]


def _bright(goal: goals.Goal) -> str:
    return f"bright under {seconds(goal.good)}, dark over {seconds(goal.bearable)}"


def _refined() -> list[Panel]:
    return [
        lines(
            Look(
                "Words changed",
                "The share of words that the second pass changed, by model. A few in a hundred are normal. None for "
                "hours: it has no time, or it is not running.",
                Unit.SHARE,
            ),
            Query(
                ratio(rate("refined_words_changed_total", "model"), rate("refined_words_total", "model")), "{{model}}"
            ),
            width=6,
        ),
        lines(
            Look(
                "How late words change",
                "From the end of an utterance to the end of its second pass, which waits for the speech that follows. "
                "Good: well under refine_within.",
                Unit.SECONDS,
            ),
            Query(quantile(0.5, "refine_late_seconds"), "half within"),
            Query(quantile(0.95, "refine_late_seconds"), "95 in 100 within"),
            width=6,
        ),
        lines(
            Look(
                "Behind",
                "Age of the oldest finished speech that waits for its second pass, per process. Good: it rises to half "
                "a minute while somebody speaks, and falls again.",
                Unit.SECONDS,
            ),
            Query(gauge("refine_behind_seconds", "instance", fold="max"), "{{instance}}"),
            width=6,
        ),
        lines(
            Look(
                "Speech without a second pass",
                "The share of speech that was left as it is, because the second pass would have come too late. Good: "
                "none. In livecaptions serve, live captions come first.",
                Unit.SHARE,
            ),
            Query(ratio(rate("refine_skipped_seconds_total"), rate("audio_logged_seconds_total")), "left as it is"),
            goal=goals.Goal(0.01, 0.1),
            width=6,
        ),
    ]


def _speech() -> list[Panel]:
    return [
        lines(
            Look(
                "Length of utterances",
                "Sentences take 2 to 8 s. Many at longest_utterance: speech without pauses, or music. Many "
                "under a second: noise.",
                Unit.SECONDS,
            ),
            Query(quantile(0.5, "utterance_seconds"), "half within"),
            Query(quantile(0.95, "utterance_seconds"), "95 in 100 within"),
        ),
        lines(
            Look(
                "Reasons for the end of utterances",
                "Ended utterances per minute, by reason. Most end with a pause. longest: speech without a "
                "pause. stall: the audio stopped arriving.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('utterance_seconds_count', 'reason')}", "{{reason}}"),
            stacked=True,
        ),
        lines(
            Look(
                "Gates fired",
                "Hallucinated words withdrawn per minute, by gate. A few are normal in noise.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('gates_fired_total', 'gate')}", "{{gate}}"),
            stacked=True,
        ),
    ]
