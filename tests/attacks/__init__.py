"""Attacks on the server's sockets: each is ended, and who does nothing wrong is served meanwhile."""
