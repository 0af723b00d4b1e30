"""Pure: which units and contents a course has."""
