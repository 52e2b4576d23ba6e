"""The gates: faults in quantity, with figures, beside two other walkers. `python -m tests.stress` prints the table.

Each gate is a function of its size, so that the suite runs it small (test_stress.py) and the command in full.
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Figure:
    """What a gate has shown."""

    gate: str
    seen: str
    passed: bool
