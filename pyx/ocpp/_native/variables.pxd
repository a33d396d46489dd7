# Look-ups of variables by name.

cdef class VariableIndex:
    cdef dict exact
    cdef dict folded
