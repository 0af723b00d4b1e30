"""Who has earned which template."""
