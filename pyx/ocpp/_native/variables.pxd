# Look-ups of variables by name.

from cpython.ref cimport PyObject


cdef class Readable:
    cdef public dict values
    cdef public object getter
    cdef readonly bint plain


cdef class VariableIndex:
    cdef object exactly
    cdef object actual
    cdef object accepted
    cdef dict named
    cdef dict exact
    cdef dict folded

    cdef PyObject* at(self, str component, object instance, object evse, object connector, str variable,
                      object variable_instance) except? NULL
