"""`pilotwire cert`: what certificates there are, what is wrong with them, and a public key infrastructure for tests."""
