"""Samples of all the measurands of a meter: rings, windows, clock-aligned intervals, deadbands; nothing allocated a sample."""

from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.math cimport INFINITY, NAN, fabs, floor, isfinite, isnan

MAX_MEASURANDS = 200
"""Measurands of one meter; the largest have some forty."""

MAX_SAMPLES = 2_000_000
"""Samples of all rings together, 16 MB: twenty measurands once a second for a day."""


cdef inline void _clear(Tally* tally) noexcept:
    tally.count = 0
    tally.total = 0.0
    tally.low = INFINITY
    tally.high = -INFINITY


cdef inline void _count(Tally* tally, double value) noexcept:
    tally.count += 1
    tally.total += value
    if value < tally.low:
        tally.low = value
    if value > tally.high:
        tally.high = value


cdef inline tuple _summary(Tally* tally):
    if tally.count == 0:
        return 0, 0.0, 0.0, 0.0
    return tally.count, tally.total / tally.count, tally.low, tally.high


cdef class Sampler:
    """The newest `capacity` samples of `measurands` values that are taken together, and their statistics.

    Times are in s on any clock that only grows. Intervals of `interval_s` begin where that clock plus `offset_s` is a
    multiple of it, so that with the right offset they are those of the wall clock; 0: there are none. `deadbands` are in the unit
    of the values: a measurand has moved when it differs by more from its value when it moved last.

    ValueError when sizes are out of range. Not for several threads at once without the interpreter's lock, which it
    holds throughout a call.
    """

    def __cinit__(self, Py_ssize_t measurands, Py_ssize_t capacity, double interval_s=0.0, deadbands=None):
        cdef Py_ssize_t index
        if not 1 <= measurands <= MAX_MEASURANDS:
            raise ValueError(f"measurands must be 1 to {MAX_MEASURANDS}")
        if not 1 <= capacity <= MAX_SAMPLES // measurands:
            raise ValueError(f"capacity must be 1 to {MAX_SAMPLES // measurands}")
        if not (interval_s >= 0.0 and isfinite(interval_s)):
            raise ValueError("interval_s must be 0 or more")
        if deadbands is not None and len(deadbands) != measurands:
            raise ValueError(f"deadbands must be {measurands} values")
        self.measurands, self.capacity, self.interval_s = measurands, capacity, interval_s
        self._times = <double*>PyMem_Calloc(<size_t>(capacity), sizeof(double))
        self._values = <double*>PyMem_Calloc(<size_t>(capacity * measurands), sizeof(double))
        self._fresh = <double*>PyMem_Calloc(<size_t>(measurands), sizeof(double))
        self._deadbands = <double*>PyMem_Calloc(<size_t>(measurands), sizeof(double))
        self._told = <double*>PyMem_Calloc(<size_t>(measurands), sizeof(double))
        self._moved = <bint*>PyMem_Calloc(<size_t>(measurands), sizeof(bint))
        self._running = <Tally*>PyMem_Calloc(<size_t>(measurands), sizeof(Tally))
        self._done = <Tally*>PyMem_Calloc(<size_t>(measurands), sizeof(Tally))
        if (
            self._times == NULL or self._values == NULL or self._fresh == NULL or self._deadbands == NULL
            or self._told == NULL or self._moved == NULL or self._running == NULL or self._done == NULL
        ):
            raise MemoryError()
        for index in range(measurands):
            self._told[index] = NAN
            self._deadbands[index] = deadbands[index] if deadbands is not None else 0.0
            _clear(&self._running[index])
            _clear(&self._done[index])
        self._number = self._done_number = NAN

    def __dealloc__(self):
        PyMem_Free(self._times)
        PyMem_Free(self._values)
        PyMem_Free(self._fresh)
        PyMem_Free(self._deadbands)
        PyMem_Free(self._told)
        PyMem_Free(self._moved)
        PyMem_Free(self._running)
        PyMem_Free(self._done)

    def align(self, double offset_s):
        """Where intervals begin from now on; the one going on will not count as whole if that cuts or stretches it."""
        if not isfinite(offset_s):
            raise ValueError("offset_s must be finite")
        if fabs(offset_s - self.offset_s) > 1.0:
            self._from_begin = False
        self.offset_s = offset_s

    cpdef int add(self, list values, double at) except -1:
        """A sample of every measurand, in their order, at a time; NaN: not measured now. Gives how many have moved."""
        cdef Py_ssize_t index
        cdef object value
        if PyList_GET_SIZE(values) != self.measurands:
            raise ValueError(f"there must be {self.measurands} values")
        if not isfinite(at):
            raise ValueError("the time must be finite")
        for index in range(self.measurands):
            # Everything is converted before anything is changed: a conversion may run other threads.
            if PyList_GET_SIZE(values) != self.measurands:
                raise ValueError("the values changed meanwhile")
            value = <object>PyList_GET_ITEM(values, index)
            self._fresh[index] = PyFloat_AS_DOUBLE(value) if PyFloat_CheckExact(value) else <double>value
        return self._take(at)

    cdef int _take(self, double at) noexcept:
        cdef Py_ssize_t index
        cdef double value
        cdef int moved = 0
        cdef double* row = self._values + self._next * self.measurands
        if self.interval_s > 0.0:
            self._turn(at)
        self._times[self._next] = at
        for index in range(self.measurands):
            value = self._fresh[index]
            if not isfinite(value):
                row[index] = NAN
                self._moved[index] = False
                continue
            row[index] = value
            if self.interval_s > 0.0:
                _count(&self._running[index], value)
            # Negated, so that the first value of all moves.
            self._moved[index] = not fabs(value - self._told[index]) <= self._deadbands[index]
            if self._moved[index]:
                self._told[index] = value
                moved += 1
        self._next = self._next + 1 if self._next + 1 < self.capacity else 0
        if self.count < self.capacity:
            self.count += 1
        return moved

    cdef void _turn(self, double at) noexcept:
        """Begins another interval when the time has come."""
        cdef Py_ssize_t index
        cdef double number = floor((at + self.offset_s) / self.interval_s)
        if number == self._number:
            return
        if not isnan(self._number):
            for index in range(self.measurands):
                self._done[index] = self._running[index]
                _clear(&self._running[index])
            self._done_number = self._number
            self.interval_whole = self._from_begin and number == self._number + 1.0
            self._from_begin = number == self._number + 1.0
        self._number = number

    cdef int _check(self, Py_ssize_t index) except -1:
        if not 0 <= index < self.measurands:
            raise IndexError(f"measurands are 0 to {self.measurands - 1}")
        return 0

    def moved(self, Py_ssize_t index):
        """Whether a measurand moved out of its deadband with the newest sample."""
        self._check(index)
        return bool(self._moved[index])

    def newest(self, Py_ssize_t index):
        """The newest sample of a measurand; NaN when there is none."""
        self._check(index)
        if not self.count:
            return NAN
        return self._values[((self._next - 1 + self.capacity) % self.capacity) * self.measurands + index]

    def window(self, Py_ssize_t index, double since):
        """Count, average, minimum and maximum of a measurand's samples from a time on; zeros when there is none.

        Only what the ring still holds.
        """
        cdef Py_ssize_t step, place = self._next
        cdef double value
        cdef Tally tally
        self._check(index)
        _clear(&tally)
        for step in range(self.count):
            place = place - 1 if place > 0 else self.capacity - 1
            if self._times[place] < since:
                break
            value = self._values[place * self.measurands + index]
            if not isnan(value):
                _count(&tally, value)
        return _summary(&tally)

    def interval(self, Py_ssize_t index):
        """Count, average, minimum and maximum of the newest finished interval; zeros when there is none.

        `interval_whole` says whether samples reached from its begin to its end.
        """
        self._check(index)
        return _summary(&self._done[index])

    @property
    def interval_begin(self):
        """When that interval began, on the samples' clock plus `offset_s`; NaN when there is none."""
        return self._done_number * self.interval_s
