"""One folder a Lern domain: its jobs, their events, rules, rows and clients."""
