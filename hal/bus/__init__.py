"""Access to the kernel's devices, claimed for one part each and closed on every way out."""
