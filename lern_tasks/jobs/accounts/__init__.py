"""Accounts that are merged."""
