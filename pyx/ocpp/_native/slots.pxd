# Attributes of many objects of one class, read where the class keeps them, as the interpreter itself reads slots.

from cpython.object cimport Py_TYPE, PyObject, PyTypeObject


cdef extern from "structmember.h" nogil:
    enum: T_OBJECT_EX
    ctypedef struct PyMemberDef:
        int type
        Py_ssize_t offset


cdef extern from "Python.h" nogil:
    ctypedef struct PyMemberDescrObject:
        PyMemberDef* d_member
    PyTypeObject PyMemberDescr_Type


cdef inline Py_ssize_t place_of(object kind, object name) except -1:
    """Where objects of a class have the slot of that name; 0 where the attribute is none."""
    cdef object found = getattr(kind, name, None)
    cdef PyMemberDef* member
    if Py_TYPE(found) != &PyMemberDescr_Type:
        return 0
    member = (<PyMemberDescrObject*><PyObject*>found).d_member
    return member.offset if member.type == T_OBJECT_EX else 0


cdef inline object attribute(object one, object name, Py_ssize_t place):
    """An attribute, by the place where objects of its class have it, else by its name."""
    cdef PyObject* found = NULL
    if place > 0:
        found = (<PyObject**>(<char*><PyObject*>one + place))[0]
    return <object>found if found != NULL else getattr(one, name)
