"""Compiled modules; their sources are in pyx/ocpp/_native."""
