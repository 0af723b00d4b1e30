"""What the jobs compute: pure rules, named by concept. No I/O, no clock, no settings. See docs/architecture.md."""
