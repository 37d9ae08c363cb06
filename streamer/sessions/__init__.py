"""Publishers' sessions, from audio bytes to segments on the log. A session outlives connections and gateways."""
