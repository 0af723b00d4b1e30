"""Who is eligible for a certificate, its issue, and who is notified."""
