"""The overview for an event's operator: whether everyone is captioned, the latency and the quality."""

from grafana_foundation_sdk.models import dashboard

from monitoring import goals
from tools.dashboards.board import Row, board
from tools.dashboards.panels import ANY_IS_BAD, Look, Panel, Query, Unit, lines, number, percent, seconds
from tools.dashboards.queries import Pattern, counted, gauge, quantile, rate, ratio, within

_WORD_LATE = seconds(goals.WORD_SHOWN.bearable)
_FINAL_LATE = seconds(goals.FINAL.bearable)


def overview() -> dashboard.Dashboard:
    """The dashboard."""
    return board(
        "livecaptions-overview",
        "Live captions: overview",
        "Is everyone captioned, how late are captions, and how good? Start here. The other dashboards show causes.",
        [
            Row("Right now", _now()),
            Row("Is everyone captioned?", _captioned()),
            Row("How late are the captions?", _late()),
            Row("How good are the captions?", _quality()),
        ],
    )


def _now() -> list[Panel]:
    return [
        number(
            Look("Speakers", "Connected publishers. Good: one per open microphone.", Unit.COUNT),
            Query(gauge("sessions"), "speakers"),
            width=3,
        ),
        number(
            Look("Viewers", "Connected viewers on pages, sockets and event streams.", Unit.COUNT),
            Query(gauge("viewers"), "viewers"),
            width=3,
        ),
        number(
            Look(
                f"Words shown within {_WORD_LATE}",
                f"The share of words that viewers saw, correct, within {_WORD_LATE} after they were spoken. "
                f"Good: over {percent(goals.WORDS_IN_TIME.good)}. Under "
                f"{percent(goals.WORDS_IN_TIME.bearable)} the objective is missed. A word that only the final "
                "corrects counts as late.",
                Unit.SHARE,
            ),
            Query(within("word_shown_seconds", goals.WORD_SHOWN.bearable), "in time"),
            goal=goals.WORDS_IN_TIME,
            width=3,
        ),
        number(
            Look(
                f"Finals within {_FINAL_LATE}",
                f"The share of ended utterances whose final came within {_FINAL_LATE}. Good: over "
                f"{percent(goals.FINALS_IN_TIME.good)}. Under {percent(goals.FINALS_IN_TIME.bearable)} the "
                "objective is missed.",
                Unit.SHARE,
            ),
            Query(within("final_seconds", goals.FINAL.bearable), "in time"),
            goal=goals.FINALS_IN_TIME,
            width=3,
        ),
        number(
            Look(
                "Longest wait for a final",
                "How long the oldest ended utterance has waited for its final. Good: under "
                f"{seconds(goals.FINALS_OVERDUE.good)}. From {seconds(goals.FINALS_OVERDUE.bearable)} on, new "
                "sessions are refused.",
                Unit.SECONDS,
            ),
            Query(gauge("finals_overdue_seconds", fold="max"), "longest"),
            goal=goals.FINALS_OVERDUE,
            width=3,
        ),
        number(
            Look(
                "Audio behind",
                "Age of the oldest audio that waits for a decode, on the worst partition. Good: under "
                f"{seconds(goals.AUDIO_BEHIND.good)}. Growing: too few workers, or a partition without a "
                "worker.",
                Unit.SECONDS,
            ),
            Query(gauge("audio_behind_worst_seconds", fold="max"), "worst"),
            goal=goals.AUDIO_BEHIND,
            width=3,
        ),
        number(
            Look(
                "Speakers refused",
                "Connections refused in the time range because limits were reached. Good: none. Code "
                "too_many: add gateways. Code overloaded: add workers (see dashboard Gateway).",
                Unit.COUNT,
            ),
            Query(counted("refusals_total", code=Pattern("too_many|overloaded")), "refused"),
            goal=ANY_IS_BAD,
            width=3,
        ),
        number(
            Look(
                "Utterances lost",
                "Utterances in the time range that could not be decoded. Viewers got an empty caption; the "
                "audio is on topic dead-letters. Good: none.",
                Unit.COUNT,
            ),
            Query(counted("dead_letter_records_total"), "lost"),
            goal=ANY_IS_BAD,
            width=3,
        ),
    ]


def _captioned() -> list[Panel]:
    return [
        lines(
            Look(
                "Speech received and speech in finals",
                "Seconds of speech per second. Good: the lines coincide, with finals one utterance later. A "
                "lasting gap means that captions are missing or late.",
                Unit.COUNT,
            ),
            Query(rate("audio_logged_seconds_total"), "received"),
            Query(rate("decoded_audio_seconds_total", kind="final"), "in finals"),
        ),
        lines(
            Look(
                "Words captioned",
                "Words of finals per minute. One speaker says 120 to 160 per minute. Zero while somebody "
                "speaks is a fault.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('words_published_total')}", "words"),
        ),
        lines(
            Look(
                "Utterances without their final",
                "Ended utterances without a final. Good: at most the number of speakers, and zero during pauses.",
                Unit.COUNT,
            ),
            Query(gauge("finals_awaited"), "awaited"),
        ),
        lines(
            Look(
                "Speakers at gateways and at workers",
                "Connected publishers, and tracks that workers decode. Good: equal while everyone speaks. A "
                "track that is silent for 10 s is not counted at the workers.",
                Unit.COUNT,
            ),
            Query(gauge("sessions"), "connected"),
            Query(gauge("streams"), "decoded by workers"),
        ),
        lines(
            Look(
                "Running processes",
                "Gateways and workers that Prometheus can scrape. Good: as many as you started.",
                Unit.COUNT,
            ),
            Query(gauge("up", "job"), "{{job}}"),
            Query(gauge("model_loaded"), "workers with their model"),
        ),
        lines(
            Look("Viewers by kind", "Connected viewers. A sudden fall: a gateway or network failure.", Unit.COUNT),
            Query(gauge("viewers", "kind"), "{{kind}}"),
            stacked=True,
        ),
    ]


def _late() -> list[Panel]:
    return [
        lines(
            Look(
                "Word shown",
                "Time from the end of a word to its first correct appearance. Goal: p50 "
                f"{seconds(goals.WORD_SHOWN_MEDIAN.good)}, p95 {seconds(goals.WORD_SHOWN.good)}. Over "
                f"{_WORD_LATE} the objective is missed.",
                Unit.SECONDS,
            ),
            Query(quantile(0.5, "word_shown_seconds"), "half within"),
            Query(quantile(0.95, "word_shown_seconds"), "95 in 100 within"),
            goal=goals.WORD_SHOWN,
        ),
        lines(
            Look(
                "First words of an utterance",
                "Time from the start of an utterance to its first caption. Goal: p95 "
                f"{seconds(goals.FIRST_PARTIAL.good)}.",
                Unit.SECONDS,
            ),
            Query(quantile(0.5, "first_partial_seconds"), "half within"),
            Query(quantile(0.95, "first_partial_seconds"), "95 in 100 within"),
            goal=goals.FIRST_PARTIAL,
        ),
        lines(
            Look(
                "Final",
                f"Time from the endpoint of an utterance to its final. Goal: p95 {seconds(goals.FINAL.good)}. "
                f"Over {_FINAL_LATE} the objective is missed.",
                Unit.SECONDS,
            ),
            Query(quantile(0.5, "final_seconds"), "half within"),
            Query(quantile(0.95, "final_seconds"), "95 in 100 within"),
            goal=goals.FINAL,
        ),
    ]


def _quality() -> list[Panel]:
    return [
        lines(
            Look(
                "Confidence of words",
                f"The model's confidence in the words of finals. Good: median over {goals.CONFIDENCE.good:g}. "
                "Lower: noise, a distant microphone, a wrong language, or too small a model.",
                Unit.RATIO,
            ),
            Query(quantile(0.5, "word_confidence"), "half over"),
            Query(quantile(0.1, "word_confidence"), "90 in 100 over"),
            goal=goals.CONFIDENCE,
            top=1,
        ),
        lines(
            Look(
                "Erased words",
                "Erased or replaced words per word of the finals, ignoring case and punctuation. Goal: "
                f"{percent(goals.ERASURE.good)}. Higher: captions are restless to read.",
                Unit.SHARE,
            ),
            Query(ratio(rate("words_erased_total"), rate("words_published_total")), "erased"),
            goal=goals.ERASURE,
        ),
        lines(
            Look(
                "Withdrawn words",
                "Words per minute that the hallucination gates withdrew. A few are normal in noise and "
                "applause. Many: check the microphone.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('gates_fired_total', 'gate')}", "{{gate}}"),
            stacked=True,
        ),
    ]
