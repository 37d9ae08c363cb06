"""Chooses the decoder for a format."""

from captions.ports.probe import Probe
from captions.stream_options import AudioFormat, Encoding
from streamer.audio.container import ContainerDecoder
from streamer.audio.decoder import AudioDecoder
from streamer.audio.processes import DecoderProcesses
from streamer.audio.raw import RawDecoder


def open_decoder(audio: AudioFormat, processes: DecoderProcesses, probe: Probe) -> AudioDecoder:
    """Create a decoder for one stream of this format. Raises ``Internal`` if its process cannot be started."""
    return ContainerDecoder(processes, probe) if audio.encoding is Encoding.CONTAINER else RawDecoder(audio)
