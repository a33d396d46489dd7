# What the frame scanner keeps of a frame.

cdef class Frame:
    cdef readonly int message_type
    cdef readonly str message_id
    cdef readonly str action
    cdef readonly object payload
    cdef readonly str error_code
    cdef readonly str error_description


cdef struct Cursor:
    const unsigned char* data
    Py_ssize_t at
    Py_ssize_t end
