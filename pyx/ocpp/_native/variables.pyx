"""Finds a variable by the names a CSMS wrote: exact spelling first, then without regard to case.

Component and variable names are case-insensitive (identifierString); nearly every CSMS writes them as the standard
does, so the folded look-up is the exception.
"""

from cpython.ref cimport PyObject


cdef extern from "Python.h":
    PyObject* PyDict_GetItemWithError(object mapping, object key) except? NULL


cdef inline object folded_text(object text):
    return None if text is None else (<str> text).casefold()


cdef inline tuple folded_key(str component, object instance, object evse, object connector, str variable,
                             object variable_instance):
    return (component.casefold(), folded_text(instance), evse, connector, variable.casefold(),
            folded_text(variable_instance))


cdef class VariableIndex:
    """Entries by component name, instance, EVSE id, connector id, variable name and instance."""

    def __init__(self):
        self.exact = {}
        self.folded = {}

    def __len__(self):
        return len(self.folded)

    def add(self, str component not None, object instance, object evse, object connector, str variable not None,
            object variable_instance, object entry not None):
        """Add an entry; one of the same names is replaced."""
        cdef tuple key = folded_key(component, instance, evse, connector, variable, variable_instance)
        self.exact[component, instance, evse, connector, variable, variable_instance] = entry
        self.folded[key] = entry

    def remove(self, str component not None, object instance, object evse, object connector, str variable not None,
               object variable_instance):
        """Remove an entry, if there is one."""
        self.exact.pop((component, instance, evse, connector, variable, variable_instance), None)
        self.folded.pop(folded_key(component, instance, evse, connector, variable, variable_instance), None)

    def find(self, str component not None, object instance, object evse, object connector, str variable not None,
             object variable_instance):
        """The entry of those names, or None."""
        cdef PyObject* found = PyDict_GetItemWithError(
            self.exact, (component, instance, evse, connector, variable, variable_instance)
        )
        if found != NULL:
            return <object> found
        found = PyDict_GetItemWithError(
            self.folded, folded_key(component, instance, evse, connector, variable, variable_instance)
        )
        return <object> found if found != NULL else None
