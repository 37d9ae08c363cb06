"""stub"""

from livecaptions.settings.load import Effective


def serve(effective: Effective) -> None:
    """Serve."""
