"""Power and false support of the paper's design, simulated: at most 60 CPU seconds."""

from __future__ import annotations

import time

from himoe.stats.characteristics import Design, assumed, characteristics


def test_characteristics_of_the_papers_design():
    started = time.process_time()
    found = characteristics(Design(32, 5, assumed(0.06, 0.01, 0.03, 13)), 0.02, 1000)
    spent = time.process_time() - started
    print(f"\n{found}: {spent:.1f} CPU s (line 60)")
    assert spent <= 60
