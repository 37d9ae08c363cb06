"""Records of topic ``dead-letters``: utterances and records that failed, for people to look at."""

from captions.audio import to_bytes
from captions.ports.log import Entry, Record
from captions.records import AUDIO, trace_headers
from inference.utterance import Utterance


def dead_utterance(utterance: Utterance, reason: str) -> Record:
    """An utterance that the engine failed on: its audio, PCM16 mono at 16 kHz, and the position of its start."""
    return Record(
        utterance.id.track.key,
        to_bytes(utterance.whole()),
        {
            "reason": reason.encode(),
            "topic": AUDIO.encode(),
            "partition": str(utterance.partition).encode(),
            "offset": str(utterance.first_offset).encode(),
            "utterance": str(utterance.id.utterance).encode(),
            "start": str(utterance.start).encode(),
            **trace_headers(utterance.trace),
        },
    )


def dead_record(entry: Entry, reason: str) -> Record:
    """A record that could not be read: its key, value and headers, and its topic, partition and offset."""
    place = {"topic": entry.topic, "partition": entry.partition, "offset": entry.offset}
    headers = {name: str(value).encode() for name, value in place.items()}
    return Record(entry.record.key, entry.record.value, {**entry.record.headers, "reason": reason.encode(), **headers})
