"""Fakes and drivers that several test files share."""
