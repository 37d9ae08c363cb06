"""Silero's voice activity detector, a small recurrent network. Runs the ONNX file that faster-whisper bundles."""

import functools
from pathlib import Path

import faster_whisper.utils
import numpy as np
import numpy.typing as npt
import onnxruntime

from captions.audio import Pcm
from captions.errors import SetupError

CONTEXT = 64
"""Samples of the previous frame that the network gets before each frame."""

State = npt.NDArray[np.float32]


@functools.cache
def _session() -> onnxruntime.InferenceSession:
    """The network, shared by all streams of the process. Each stream keeps its own state."""
    files = sorted(Path(faster_whisper.utils.get_assets_path()).glob("silero_vad*.onnx"))
    if not files:
        raise SetupError("faster-whisper is installed without Silero's network; reinstall it, or use --vad webrtc")
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(files[-1]), providers=["CPUExecutionProvider"], sess_options=options)
    if {given.name for given in session.get_inputs()} != {"input", "h", "c"}:
        raise SetupError(
            f"{files[-1]} is an unsupported version of Silero's network; "
            "install the version of faster-whisper in uv.lock, or use --vad webrtc"
        )
    return session


class SileroDetector:
    """Returns the probability of speech of each 32 ms frame."""

    frame_samples = 512

    def __init__(self) -> None:
        self._network = _session()
        self._input = np.zeros((1, CONTEXT + self.frame_samples), dtype=np.float32)
        self._h: State = np.zeros((1, 1, 128), dtype=np.float32)
        self._c: State = np.zeros((1, 1, 128), dtype=np.float32)

    def skip(self, frame: Pcm) -> None:
        """Skip a frame, shape (512,). It only becomes the context of the next one."""
        self._input[0, :CONTEXT] = frame[-CONTEXT:] / np.float32(32768)

    def probability(self, frame: Pcm) -> float:
        """The probability, 0 to 1, that ``frame``, shape (512,), is speech."""
        np.divide(frame, np.float32(32768), out=self._input[0, CONTEXT:])
        output, self._h, self._c = self._network.run(None, {"input": self._input, "h": self._h, "c": self._c})
        self._input[0, :CONTEXT] = self._input[0, -CONTEXT:]
        return float(output.item())
