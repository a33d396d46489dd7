"""Energy meters: register maps as data files, and what the meter drivers have in common."""
