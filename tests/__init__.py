"""Tests. Each process computes with one thread, as the jobs of the workflow do: more would wait for those of its neighbours."""

import os

from himoe.job import THREAD_VARIABLES

for name in THREAD_VARIABLES:  # before numpy and torch are imported
    os.environ.setdefault(name, "1")
