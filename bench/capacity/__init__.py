"""How many live streams a server carries at the latency goals, beside the systems that people use today.

``recordings`` is what is said and when; ``pacing`` says it in real time and knows where it fell behind; ``systems``
are what is measured, with ``peers`` behind adapters; ``level`` is what so many streams gave; ``goals`` and ``ramp``
decide how many are tried next; ``run`` drives it all; ``compared`` sets peers beside us; ``report`` and ``plot``
show it.
"""
