"""Publishers' sessions: from bytes of audio to segments on the log, across connections and gateways."""
