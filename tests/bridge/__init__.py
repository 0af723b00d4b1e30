"""Tests of the bridge: packing, delivery, back-pressure, dead letters, the process."""
