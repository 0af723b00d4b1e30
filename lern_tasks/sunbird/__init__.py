"""The platform as the jobs see it: what two or more domains use of its tables, events and services."""
