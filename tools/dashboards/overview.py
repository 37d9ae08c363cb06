"""For the event's operator: is everyone being captioned, how late, how sure."""

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
        "Is everyone being captioned, how late, how sure. Start here; the other two say why.",
        [
            Row("Right now", _now()),
            Row("Is everyone being captioned?", _captioned()),
            Row("How late are the captions?", _late()),
            Row("How sure are they?", _sure()),
        ],
    )


def _now() -> list[Panel]:
    return [
        number(
            Look("Speakers", "Publishers connected. As many as have a microphone open.", Unit.COUNT),
            Query(gauge("sessions"), "speakers"),
            width=3,
        ),
        number(
            Look("Viewers", "Connected readers, on pages, sockets and event streams.", Unit.COUNT),
            Query(gauge("viewers"), "viewers"),
            width=3,
        ),
        number(
            Look(
                f"Words shown within {_WORD_LATE}",
                f"Of the words said, how many a viewer saw, right, at most {_WORD_LATE} after they were said. Good: "
                f"over {percent(goals.WORDS_IN_TIME.good)}. Under {percent(goals.WORDS_IN_TIME.bearable)} the "
                "objective is missed: words that only the final puts right are among the late.",
                Unit.SHARE,
            ),
            Query(within("word_shown_seconds", goals.WORD_SHOWN.bearable), "in time"),
            goal=goals.WORDS_IN_TIME,
            width=3,
        ),
        number(
            Look(
                f"Finals within {_FINAL_LATE}",
                f"Of the utterances ended, how many had their final caption at most {_FINAL_LATE} later. Good: over "
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
                "Of the utterances that ended and have no final yet, how long the oldest waits. Good: under "
                f"{seconds(goals.FINALS_OVERDUE.good)}. From {seconds(goals.FINALS_OVERDUE.bearable)} on new "
                "speakers are refused.",
                Unit.SECONDS,
            ),
            Query(gauge("finals_overdue_seconds", fold="max"), "longest"),
            goal=goals.FINALS_OVERDUE,
            width=3,
        ),
        number(
            Look(
                "Audio behind",
                "How long the oldest audio that no worker has heard has waited, on the worst partition. Good: under "
                f"{seconds(goals.AUDIO_BEHIND.good)}. Growing: too few workers, or a partition without one.",
                Unit.SECONDS,
            ),
            Query(gauge("audio_behind_worst_seconds", fold="max"), "worst"),
            goal=goals.AUDIO_BEHIND,
            width=3,
        ),
        number(
            Look(
                "Speakers refused",
                "Connections refused for want of room within the time shown. Good: none. Add gateways where the code "
                "is too_many, workers where it is overloaded (dashboard Gateway).",
                Unit.COUNT,
            ),
            Query(counted("refusals_total", code=Pattern("too_many|overloaded")), "refused"),
            goal=ANY_IS_BAD,
            width=3,
        ),
        number(
            Look(
                "Utterances lost",
                "What could not be decoded within the time shown: viewers got an empty caption, topic dead-letters "
                "has the audio. Good: none.",
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
                "Speech heard and speech in finals",
                "Seconds of speech for each second. Good: the two lines lie on each other, finals an utterance later. "
                "Apart for long: captions are missing or late.",
                Unit.COUNT,
            ),
            Query(rate("audio_logged_seconds_total"), "heard"),
            Query(rate("decoded_audio_seconds_total", kind="final"), "in finals"),
        ),
        lines(
            Look(
                "Words captioned",
                "Words of finals a minute. People say 120 to 160 a minute each; zero while somebody speaks is wrong.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('words_published_total')}", "words"),
        ),
        lines(
            Look(
                "Utterances without their final",
                "Ended, but the final is not out. Good: no more than there are speakers, and falling to zero in "
                "pauses.",
                Unit.COUNT,
            ),
            Query(gauge("finals_awaited"), "awaited"),
        ),
        lines(
            Look(
                "Speakers at gateways and at workers",
                "Publishers connected, and tracks that workers hear. Good: in step while everybody speaks; who is "
                "silent for 10 s is not heard.",
                Unit.COUNT,
            ),
            Query(gauge("sessions"), "connected"),
            Query(gauge("streams"), "heard by workers"),
        ),
        lines(
            Look(
                "Processes that answer",
                "Gateways and workers that Prometheus reaches. Good: as many as you started.",
                Unit.COUNT,
            ),
            Query(gauge("up", "job"), "{{job}}"),
            Query(gauge("model_loaded"), "workers with their model"),
        ),
        lines(
            Look("Viewers by kind", "Connected readers. A sudden fall: a gateway or the network.", Unit.COUNT),
            Query(gauge("viewers", "kind"), "{{kind}}"),
            stacked=True,
        ),
    ]


def _late() -> list[Panel]:
    return [
        lines(
            Look(
                "Word shown",
                "From a word's end to its first correct appearance. Goal: "
                f"{seconds(goals.WORD_SHOWN_MEDIAN.good)} for half of them, {seconds(goals.WORD_SHOWN.good)} for 95 "
                f"in 100; beyond {_WORD_LATE} the objective is missed.",
                Unit.SECONDS,
            ),
            Query(quantile(0.5, "word_shown_seconds"), "half within"),
            Query(quantile(0.95, "word_shown_seconds"), "95 in 100 within"),
            goal=goals.WORD_SHOWN,
        ),
        lines(
            Look(
                "First words of an utterance",
                "From the beginning of an utterance to its first caption. Goal: "
                f"{seconds(goals.FIRST_PARTIAL.good)} for 95 in 100.",
                Unit.SECONDS,
            ),
            Query(quantile(0.5, "first_partial_seconds"), "half within"),
            Query(quantile(0.95, "first_partial_seconds"), "95 in 100 within"),
            goal=goals.FIRST_PARTIAL,
        ),
        lines(
            Look(
                "Final",
                "From the end of an utterance, as the gateway decides it, to its final caption. Goal: "
                f"{seconds(goals.FINAL.good)} for 95 in 100; beyond {_FINAL_LATE} the objective is missed.",
                Unit.SECONDS,
            ),
            Query(quantile(0.5, "final_seconds"), "half within"),
            Query(quantile(0.95, "final_seconds"), "95 in 100 within"),
            goal=goals.FINAL,
        ),
    ]


def _sure() -> list[Panel]:
    return [
        lines(
            Look(
                "Confidence of words",
                f"What the model thinks of the words of finals. Good: half over {goals.CONFIDENCE.good:g}. Lower: "
                "noise, a far microphone, the wrong language, or a model too small.",
                Unit.RATIO,
            ),
            Query(quantile(0.5, "word_confidence"), "half over"),
            Query(quantile(0.1, "word_confidence"), "90 in 100 over"),
            goal=goals.CONFIDENCE,
            top=1,
        ),
        lines(
            Look(
                "Words taken back",
                "Words deleted or replaced while captions were revised, for each word of the finals; case and "
                f"punctuation aside. Goal: {percent(goals.ERASURE.good)}. More reads restless.",
                Unit.SHARE,
            ),
            Query(ratio(rate("words_erased_total"), rate("words_published_total")), "taken back"),
            goal=goals.ERASURE,
        ),
        lines(
            Look(
                "Made-up words withheld",
                "What gates against hallucinations withdrew, a minute. A few are normal in noise and applause; many: "
                "listen to the microphone.",
                Unit.PER_MINUTE,
            ),
            Query(f"60 * {rate('gates_fired_total', 'gate')}", "{{gate}}"),
            stacked=True,
        ),
    ]
