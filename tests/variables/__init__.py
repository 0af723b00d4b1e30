"""Every documented configuration variable, and what it does."""
