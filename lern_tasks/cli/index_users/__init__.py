"""`lern index-users`."""
