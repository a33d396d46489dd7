cdef struct Tally:
    Py_ssize_t count
    double total
    double low
    double high


cdef class Sampler:
    cdef readonly Py_ssize_t measurands
    cdef readonly Py_ssize_t capacity
    cdef readonly Py_ssize_t count
    cdef readonly double interval_s
    cdef readonly double offset_s
    cdef readonly bint interval_whole
    cdef Py_ssize_t _next
    cdef double* _times
    cdef double* _values
    cdef double* _fresh
    cdef double* _deadbands
    cdef double* _told
    cdef bint* _moved
    cdef Tally* _running
    cdef Tally* _done
    cdef double _number
    cdef double _done_number
    cdef bint _from_begin
    cpdef int add(self, list values, double at) except -1
    cdef int _take(self, double at) noexcept
    cdef void _turn(self, double at) noexcept
    cdef int _check(self, Py_ssize_t index) except -1
