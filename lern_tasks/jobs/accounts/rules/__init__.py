"""Pure: what one account gets of another."""
