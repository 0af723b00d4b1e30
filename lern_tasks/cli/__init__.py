"""The `lern` command, one file a subcommand. See docs/operations.md."""
