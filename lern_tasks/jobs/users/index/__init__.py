"""All users at once."""
