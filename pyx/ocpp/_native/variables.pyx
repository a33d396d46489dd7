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


cdef inline bint is_lone(object instance, object evse, object connector, object variable_instance):
    """Whether a variable is found by component and variable name alone, as most are."""
    return instance is None and evse is None and connector is None and variable_instance is None


cdef class Readable:
    """A variable as whoever reads it sees it.

    `plain`: every CSMS may read its actual value. `getter` computes that, where it is not None; else it is in `values`,
    under the attribute's name.
    """

    def __init__(self, dict values not None, object getter, bint plain):
        self.values = values
        self.getter = getter
        self.plain = plain


cdef class VariableIndex:
    """Entries by component name, instance, EVSE id, connector id, variable name and instance.

    `read` needs `exactly`, which takes what it takes and knows all the rules; `actual` is the attribute that an actual
    value has, `accepted` the status of one that was read.
    """

    def __init__(self, object exactly=None, object actual=None, object accepted=None):
        self.exactly = exactly
        self.actual = actual
        self.accepted = accepted
        self.named = {}
        self.exact = {}
        self.folded = {}

    def __len__(self):
        return len(self.folded)

    def add(self, str component not None, object instance, object evse, object connector, str variable not None,
            object variable_instance, object entry not None):
        """Add an entry. Names that differ in case only are the same: only one entry of them may be there."""
        cdef tuple key = folded_key(component, instance, evse, connector, variable, variable_instance)
        if is_lone(instance, evse, connector, variable_instance):
            self.named.setdefault(component, {})[variable] = entry
        else:
            self.exact[component, instance, evse, connector, variable, variable_instance] = entry
        self.folded[key] = entry

    def remove(self, str component not None, object instance, object evse, object connector, str variable not None,
               object variable_instance):
        """Remove an entry, if there is one, by the names that it was added with."""
        if is_lone(instance, evse, connector, variable_instance):
            self.named.get(component, {}).pop(variable, None)
        else:
            self.exact.pop((component, instance, evse, connector, variable, variable_instance), None)
        self.folded.pop(folded_key(component, instance, evse, connector, variable, variable_instance), None)

    cdef PyObject* at(self, str component, object instance, object evse, object connector, str variable,
                      object variable_instance) except? NULL:
        """The entry of those names; NULL without an exception when there is none."""
        cdef PyObject* found
        if is_lone(instance, evse, connector, variable_instance):
            found = PyDict_GetItemWithError(self.named, component)
            if found != NULL:
                found = PyDict_GetItemWithError(<object> found, variable)
        else:
            found = PyDict_GetItemWithError(
                self.exact, (component, instance, evse, connector, variable, variable_instance)
            )
        if found != NULL:
            return found
        return PyDict_GetItemWithError(
            self.folded, folded_key(component, instance, evse, connector, variable, variable_instance)
        )

    def find(self, str component not None, object instance, object evse, object connector, str variable not None,
             object variable_instance):
        """The entry of those names, or None."""
        cdef PyObject* found = self.at(component, instance, evse, connector, variable, variable_instance)
        return <object> found if found != NULL else None

    def read(self, str component not None, object instance, object evse, object connector, str variable not None,
             object variable_instance, object attribute, bint with_21):
        """What `exactly` gives; found here when it is the actual value of a plain variable."""
        cdef PyObject* found
        cdef Readable entry
        if attribute is self.actual:
            found = self.at(component, instance, evse, connector, variable, variable_instance)
            if found != NULL and isinstance(<object> found, Readable):
                entry = <Readable> found
                if entry.plain and entry.getter is None:
                    found = PyDict_GetItemWithError(entry.values, attribute)
                    if found != NULL:
                        return self.accepted, <object> found
        return self.exactly(component, instance, evse, connector, variable, variable_instance, attribute, with_21)
