"""What publishers send, as PCM16 mono at 16 kHz while it arrives."""
