"""The protocols that publishers speak, as pure objects: frames in, commands out; events in, frames out."""
