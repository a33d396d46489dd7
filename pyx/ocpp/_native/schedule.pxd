# Charging schedules as arithmetic.

cdef struct Step:
    long long start
    double rate
    int phases


cdef class Fields:
    cdef str _start
    cdef str _limit
    cdef str _phases
    cdef object _kind
    cdef Py_ssize_t _start_at
    cdef Py_ssize_t _limit_at
    cdef Py_ssize_t _phases_at
    cdef int _learn(self, object kind) except -1
    cdef bint _take(self, Step* step, object period) except -1


cdef class Curve:
    cdef readonly bint sound
    cdef Py_ssize_t _count
    cdef int _fewest
    cdef Step* _steps
    cdef Py_ssize_t _find(self, double begin, double at) noexcept


cdef class InForce:
    cdef readonly object profile
    cdef readonly Py_ssize_t index


cdef class Limit:
    cdef readonly double current_a
    cdef readonly int phases
    cdef readonly tuple sources


cdef class Slice:
    cdef readonly long start
    cdef readonly Limit limit


cdef class Track:
    cdef readonly object profile
    cdef Curve _curve
    cdef bint _amperes
    cdef double _start
    cdef double _duration_s
    cdef double _recurrency_s
    cdef double _valid_from
    cdef double _valid_to
    cdef Py_ssize_t _index
    cdef double _until
    cdef InForce _in_force
    cdef double _begin(self, double occurrence) noexcept
    cdef double _occurrence(self, double at) noexcept
    cdef void _look(self, double at) noexcept
    cdef InForce _holding(self)


cdef class Limits:
    cdef list _groups
    cdef double _most_a
    cdef double _default_a
    cdef int _phases
    cdef int _default_phases
    cdef double _voltage_v
    cdef readonly double told_s
    cdef double _look(self, double at, bint everything)
    cdef Limit _limit(self)
