"""What people trigger. See docs/administration.md."""
