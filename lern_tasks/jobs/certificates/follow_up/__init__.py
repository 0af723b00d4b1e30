"""What follows an issued certificate: mail, user feed, removal of the one it replaces."""
