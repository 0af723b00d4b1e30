"""The user hashes that reports read."""
