"""Publishers' protocols, as objects without I/O: frames in, commands out; events in, frames out."""
