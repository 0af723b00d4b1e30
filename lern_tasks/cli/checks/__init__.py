"""What `lern doctor` looks at, one file a kind of dependency. See docs/operations.md, "When something fails"."""
