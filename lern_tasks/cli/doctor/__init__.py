"""`lern doctor`: one file an area that it looks at."""
