"""Compiled modules of the hardware layer; sources in pyx/hal/_native."""
