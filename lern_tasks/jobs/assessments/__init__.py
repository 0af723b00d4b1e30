"""Attempts at exams and best scores."""
