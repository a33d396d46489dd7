"""TLS, certificates, keys and the security event log."""
