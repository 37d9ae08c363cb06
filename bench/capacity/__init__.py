"""How many live streams a server carries within the latency goals, compared with other systems.

``recordings`` provides audio with word times; ``pacing`` sends it in real time and detects when the sender is late;
``systems`` are the measured servers, with adapters for other systems in ``peers``; ``level`` is the result of one
number of streams; ``goals`` and ``ramp`` decide on the next number; ``run`` drives everything; ``compared`` compares
systems; ``report`` and ``plot`` show the results.
"""
