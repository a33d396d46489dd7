"""What installs, tries and takes back releases on a board: Python's standard library and the tool `openssl`, no more.

It is a program of its own (pilotwire-update.pyz), since it has to work when a release does not.
"""
