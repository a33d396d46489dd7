# What the frame scanner keeps of a frame, and what the codec of a version uses of it.

cdef class Defect:
    cdef readonly str code
    cdef readonly str description


cdef class Frame:
    cdef bytes data
    cdef Py_ssize_t start
    cdef Py_ssize_t size
    cdef Py_ssize_t action_start
    cdef Py_ssize_t action_size
    cdef readonly int message_type
    cdef readonly str message_id
    cdef readonly str action
    cdef readonly str error_code
    cdef readonly str error_description
    cdef readonly object message
    cdef readonly Defect defect


cdef struct Cursor:
    const unsigned char* data
    Py_ssize_t at
    Py_ssize_t end


cdef Frame scan_frame(bytes frame, bint by_letter)
cdef bint loose_time(const unsigned char* data, Py_ssize_t size) noexcept nogil
cdef bytes call_frame(str message_id, str action, bytes payload)
cdef bytes result_frame(str message_id, bytes payload)
cdef bytes send_frame(str message_id, str action, bytes payload)
