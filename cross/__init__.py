"""Wheels, wheelhouses and bundles for the boards, built and tried out on an x86-64 Debian machine."""
