"""Pure: what a hash holds of a user."""
