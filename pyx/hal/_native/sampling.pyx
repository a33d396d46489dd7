"""Pilot levels and rings of samples, without an allocation for a sample."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc

# Index of a state: A B C D E F. Nominal levels of IEC 61851-1 table A.4, in V; limits lie in the middle between them.
cdef double[4] LIMITS = [10.5, 7.5, 4.5, 1.5]

cdef int STATE_A = 0
cdef int STATE_E = 4
cdef int STATE_F = 5

cdef double F_LIMIT = -10.5
cdef double DIODE_LIMIT = -10.0

STATES = "ABCDEF"

MAX_CAPACITY = 1_000_000
"""Samples of one ring, 16 MB: a day of ten a second fits."""


cdef class LevelDecoder:
    """Turns peak voltages of the control pilot into states, after `confirm` equal samples in a row.

    Twice as many in a row that agree neither with the state nor with each other are noise, which is E: not sound.
    The limits between A, B, C, D and E have a hysteresis; those of F and of the diode are held by `confirm` alone.

    `see` takes the positive peak, the negative peak and whether PWM is on, and gives an index into `STATES`.
    """

    def __init__(self, int confirm=3, double hysteresis_v=0.3):
        if confirm < 1 or not 0.0 <= hysteresis_v < 1.5:
            raise ValueError("confirm must be 1 or more, hysteresis_v from 0 to below 1.5")
        self.confirm = confirm
        self.hysteresis_v = hysteresis_v
        self._state = STATE_A
        self._candidate = STATE_A
        self._seen = 0
        self._apart = 0

    @property
    def state(self):
        """The confirmed state, a letter."""
        return STATES[self._state]

    cpdef int see(self, double high_v, double low_v, bint pwm):
        """A sample; gives the confirmed state's index. With PWM, a low side that is not near -12 V is E: no diode."""
        cdef int found = self._level(high_v)
        # Negated, so that what is no number counts as a missing diode.
        if pwm and found != STATE_A and found != STATE_F and not low_v <= DIODE_LIMIT:
            found = STATE_E
        if found == self._state:
            self._seen = self._apart = 0
            self._candidate = found
            return self._state
        self._apart += 1
        if found != self._candidate:
            self._candidate = found
            self._seen = 0
        self._seen += 1
        if self._seen >= self.confirm:
            self._become(found)
        elif self._apart >= 2 * self.confirm:
            self._become(STATE_E)
        return self._state

    cdef void _become(self, int state) noexcept:
        self._state = state
        self._seen = self._apart = 0

    cdef int _level(self, double high_v) noexcept:
        cdef int index, found = STATE_E
        if high_v <= F_LIMIT:
            return STATE_F
        for index in range(4):
            if high_v >= LIMITS[index] + self._shift(index):
                found = index
                break
        return found

    cdef double _shift(self, int index) noexcept:
        """A limit is moved away from the state the line is in."""
        if self._state <= index:
            return -self.hysteresis_v
        if self._state == index + 1 or self._state == STATE_E:
            return self.hysteresis_v
        return 0.0


cdef class Ring:
    """The newest `capacity` samples of one measurand with their times (s, monotonic): sum, average, minimum, maximum."""

    def __cinit__(self, Py_ssize_t capacity):
        if not 1 <= capacity <= MAX_CAPACITY:
            raise ValueError(f"capacity must be 1 to {MAX_CAPACITY}")
        self.capacity = capacity
        self._values = <double*>PyMem_Malloc(capacity * sizeof(double))
        self._times = <double*>PyMem_Malloc(capacity * sizeof(double))
        if self._values == NULL or self._times == NULL:
            raise MemoryError()

    def __dealloc__(self):
        PyMem_Free(self._values)
        PyMem_Free(self._times)

    cpdef void add(self, double value, double at) noexcept:
        """A sample; the oldest one gives way."""
        if self.count == self.capacity:
            self.total -= self._values[self._next]
        else:
            self.count += 1
        self._values[self._next] = value
        self._times[self._next] = at
        self.total += value
        self._next += 1
        if self._next == self.capacity:
            self._next = 0
            self._recount()

    cdef void _recount(self) noexcept:
        """Once a round, so that rounding errors do not pile up over years."""
        cdef Py_ssize_t index
        self.total = 0.0
        for index in range(self.count):
            self.total += self._values[index]

    @property
    def average(self):
        """Of all samples held; 0 when there is none."""
        return self.total / self.count if self.count else 0.0

    @property
    def newest(self):
        """The last sample; 0 when there is none."""
        if not self.count:
            return 0.0
        return self._values[(self._next - 1 + self.capacity) % self.capacity]

    def since(self, double at):
        """Count, average, minimum and maximum of the samples from `at` on; zeros when there is none."""
        cdef Py_ssize_t index, found = 0
        cdef double value, total = 0.0, low = 0.0, high = 0.0
        for index in range(self.count):
            if self._times[index] >= at:
                value = self._values[index]
                low = value if found == 0 or value < low else low
                high = value if found == 0 or value > high else high
                total += value
                found += 1
        return found, (total / found if found else 0.0), low, high
