"""The product's own commands, hearing scripted speech: what pods run where eight tracks share two cores.

``python -m tests.k8s_cluster.scripted gateway|worker ...``; everything but the speech detector and the engine is as it
ships. SCRIPT_UTTERANCES utterances may be spoken; a decode takes SCRIPT_DECODING seconds for each second of audio.
"""

import os
from unittest.mock import patch

from inference.engine.scripted import ScriptedEngine
from livecaptions.cli import main
from livecaptions.settings.fields import Settings
from tests.support import EnergyDetector, script_of


class Engine(ScriptedEngine):
    """With what a process asks of an engine besides decoding."""

    device = "cpu"
    compute_type = "none"

    def warm_up(self) -> None:
        """Nothing is cold."""

    def describe(self) -> dict[str, str | bool]:
        return {"model": self.model_name}


def build_engines(_: Settings) -> list[Engine]:
    script, _pcm = script_of(int(os.environ.get("SCRIPT_UTTERANCES", "3")))
    return [Engine(script, delay=float(os.environ.get("SCRIPT_DECODING", "0.004")))]


if __name__ == "__main__":
    with (
        patch("livecaptions.commands.serve.build_engines", build_engines),
        patch("livecaptions.wiring.detector_factory", lambda _: EnergyDetector),
    ):
        main()
