"""Pure: templates, criteria, requests and documents of certificates."""
