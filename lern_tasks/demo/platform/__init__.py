"""The services of the platform, simulated over HTTP."""
