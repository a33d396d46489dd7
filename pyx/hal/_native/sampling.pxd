cdef class LevelDecoder:
    cdef readonly int confirm
    cdef readonly double hysteresis_v
    cdef int _state
    cdef int _candidate
    cdef int _seen
    cdef int _apart
    cpdef int see(self, double high_v, double low_v, bint pwm)
    cdef void _become(self, int state) noexcept
    cdef int _level(self, double high_v) noexcept
    cdef double _shift(self, int index) noexcept


cdef class Ring:
    cdef readonly Py_ssize_t capacity
    cdef double* _values
    cdef double* _times
    cdef Py_ssize_t _next
    cdef readonly Py_ssize_t count
    cdef readonly double total
    cpdef void add(self, double value, double at) noexcept
    cdef void _recount(self) noexcept
