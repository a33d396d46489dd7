"""Emulated chips, from their data sheets, for the emulated kernel's buses."""
