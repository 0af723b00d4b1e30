"""Who is eligible for which template."""
