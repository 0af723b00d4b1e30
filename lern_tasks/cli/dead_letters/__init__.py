"""`lern dead-letters`."""
