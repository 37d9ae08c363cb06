"""Chooses the decoder for a format."""

from captions.stream_options import AudioFormat, Encoding
from streamer.audio.container import ContainerDecoder
from streamer.audio.decoder import AudioDecoder
from streamer.audio.raw import RawDecoder


def open_decoder(audio: AudioFormat) -> AudioDecoder:
    """Create a decoder for one stream of this format."""
    return ContainerDecoder() if audio.encoding is Encoding.CONTAINER else RawDecoder(audio)
