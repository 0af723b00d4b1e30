"""Who has earned a certificate, its issue, and who is told."""
