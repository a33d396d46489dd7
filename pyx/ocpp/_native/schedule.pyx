"""Charging schedules as arithmetic: which period of which profile holds at an instant, what it allows, when that changes.

Instants are Unix seconds. All compare instants and never differences of them, so that a period whose begin has come
holds at just that instant, however the sum was rounded.
"""

from cpython.long cimport PyLong_AsLongAndOverflow, PyLong_AsLongLongAndOverflow
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.math cimport INFINITY, NAN, floor

from ocpp._native.slots cimport attribute, place_of

from sys import intern

cdef enum:
    MOST_LOOKS = 16384  # some milliseconds
    MOST_PHASES = 3
    UNNAMED = 99  # more than any number of phases


cdef class Fields:
    """What the start, the limit and the phases of a period are called, and where objects of the class seen last keep them."""

    def __init__(self, str start not None, str limit not None, str phases not None):
        self._start, self._limit, self._phases = intern(start), intern(limit), intern(phases)
        self._kind = None

    cdef int _learn(self, object kind) except -1:
        """The objects to come are of this class. Noted all at once: what asks the class may run its code."""
        cdef Py_ssize_t start_at = place_of(kind, self._start)
        cdef Py_ssize_t limit_at = place_of(kind, self._limit)
        cdef Py_ssize_t phases_at = place_of(kind, self._phases)
        self._start_at, self._limit_at, self._phases_at, self._kind = start_at, limit_at, phases_at, kind
        return 0

    cdef bint _take(self, Step* step, object period) except -1:
        """Note a period; whether it makes sense."""
        cdef Py_ssize_t start_at, limit_at, phases_at
        if type(period) is not self._kind:
            self._learn(type(period))
        # An attribute that is no slot may run code, which may read periods of another class meanwhile.
        start_at, limit_at, phases_at = self._start_at, self._limit_at, self._phases_at
        return take(
            step,
            attribute(period, self._start, start_at),
            attribute(period, self._limit, limit_at),
            attribute(period, self._phases, phases_at),
        )


cdef Fields PERIOD = Fields("start", "limit", "phases")


cdef double as_double(object number) except? -1.0:
    """A number as float; integers beyond every float are infinite."""
    try:
        return number
    except OverflowError:
        return INFINITY if number > 0 else -INFINITY


cdef class Curve:
    """The periods of a charging schedule as numbers: each has a start (s after the begin), a limit and phases (or None).

    `periods` are objects that have these under the names of `fields`. A curve is `sound` when it begins at 0 and ascends,
    with limits from 0 on and at most three phases; nothing else is to be calculated with, and only a sound one gives back
    every number as it was. Raises TypeError for what is no number, AttributeError for what is no period.
    """

    def __cinit__(self, periods not None, Fields fields not None=PERIOD):
        cdef Py_ssize_t index, count = len(periods)
        cdef long long before = -1
        cdef Step* step
        self._steps = <Step*>PyMem_Malloc(<size_t>count * sizeof(Step))
        if self._steps == NULL:
            raise MemoryError()
        self.sound, self._fewest = count > 0, UNNAMED
        for index, period in enumerate(periods):
            if index == count:
                raise ValueError("there are more periods than there were")
            step = &self._steps[index]
            self.sound &= fields._take(step, period)
            self.sound &= step.start > before if index else step.start == 0
            before = step.start
            if step.rate != 0.0 and step.phases < self._fewest:
                self._fewest = step.phases
            self._count = index + 1

    def __dealloc__(self):
        PyMem_Free(self._steps)

    def __len__(self):
        return self._count

    def __eq__(self, other):
        cdef Py_ssize_t index
        if not isinstance(other, Curve):
            return NotImplemented
        if self._count != (<Curve>other)._count:
            return False
        for index in range(self._count):
            if not _same(&self._steps[index], &(<Curve>other)._steps[index]):
                return False
        return True

    def __hash__(self):
        return hash(tuple(self.steps()))

    def step(self, Py_ssize_t index):
        """Start, limit and phases of a period. Raises IndexError where there is none."""
        if not 0 <= index < self._count:
            raise IndexError(f"there is no period {index} among {self._count}")
        return _numbers(&self._steps[index])

    def steps(self):
        """Start, limit and phases of every period."""
        return [_numbers(&self._steps[index]) for index in range(self._count)]

    @property
    def fewest_phases(self):
        """The smallest number of phases named by a period that allows anything; None where none names any."""
        return None if self._fewest == UNNAMED else self._fewest

    cdef Py_ssize_t _find(self, double begin, double at) noexcept:
        """The last period that has begun; -1 before the first."""
        cdef Py_ssize_t low = 0, high = self._count, middle
        while low < high:
            middle = (low + high) // 2
            if begin + <double>self._steps[middle].start <= at:
                low = middle + 1
            else:
                high = middle
        return low - 1


cdef class InForce:
    """A period that holds, by its index, and the profile it belongs to."""

    def __eq__(self, other):
        if not isinstance(other, InForce):
            return NotImplemented
        return self.index == (<InForce>other).index and self.profile == (<InForce>other).profile

    def __hash__(self):
        return hash((self.profile, self.index))

    def __repr__(self):
        return f"InForce(profile={self.profile!r}, index={self.index})"

    @property
    def period(self):
        """The period."""
        return self.profile.schedule.periods[self.index]


cdef class Limit:
    """A current in A per phase on a number of phases, and the periods that make it; no `sources`: the default."""

    def __init__(self, double current_a, int phases, tuple sources not None=()):
        self.current_a, self.phases, self.sources = current_a, phases, sources

    def __eq__(self, other):
        if not isinstance(other, Limit):
            return NotImplemented
        return (
            self.current_a == (<Limit>other).current_a
            and self.phases == (<Limit>other).phases
            and self.sources == (<Limit>other).sources
        )

    def __hash__(self):
        return hash((self.current_a, self.phases, self.sources))

    def __repr__(self):
        return f"Limit(current_a={self.current_a}, phases={self.phases}, sources={self.sources})"

    def power_w(self, double voltage_v):
        """The same as power."""
        return self.current_a * self.phases * voltage_v


cdef class Slice:
    """A stretch of a composite schedule, from `start` seconds after its begin."""

    def __init__(self, long start, Limit limit not None):
        self.start, self.limit = start, limit

    def __eq__(self, other):
        if not isinstance(other, Slice):
            return NotImplemented
        return self.start == (<Slice>other).start and self.limit == (<Slice>other).limit

    def __hash__(self):
        return hash((self.start, self.limit))

    def __repr__(self):
        return f"Slice(start={self.start}, limit={self.limit})"


cdef class Track:
    """A profile on the time line: when its schedule begins, how often it comes again, from when to when it is valid.

    Its limits are in A per phase or, unless `amperes`, in W of all phases together (K01.FR.50-51). `duration_s` None:
    without end; `recurrency_s` None: it does not come again (K01.FR.13); no `valid_from` or `valid_to`: always, for ever
    (K01.FR.36-37).
    """

    def __cinit__(self, object profile, Curve curve not None, bint amperes, double start, duration_s=None,
                  recurrency_s=None, valid_from=None, valid_to=None):
        self.profile, self._curve, self._amperes, self._start = profile, curve, amperes, start
        self._duration_s = INFINITY if duration_s is None else as_double(duration_s)
        self._recurrency_s = INFINITY if recurrency_s is None else recurrency_s
        self._valid_from = -INFINITY if valid_from is None else valid_from
        self._valid_to = INFINITY if valid_to is None else valid_to
        if self._recurrency_s <= 0:
            raise ValueError("a schedule cannot come again after no time")
        self._index, self._until = -1, -INFINITY

    cdef double _begin(self, double occurrence) noexcept:
        """When an occurrence begins; the first one is 0."""
        return self._start + occurrence * self._recurrency_s if occurrence > 0 else self._start

    cdef double _occurrence(self, double at) noexcept:
        """The number of the occurrence that an instant falls into; 0 before the first one."""
        cdef double number
        if self._recurrency_s == INFINITY or at < self._start:
            return 0.0
        number = floor((at - self._start) / self._recurrency_s)
        if self._begin(number) > at:
            return number - 1.0
        if self._begin(number + 1.0) <= at:
            return number + 1.0
        return number

    cdef void _look(self, double at) noexcept:
        """Find what holds at an instant, and until when; -1 where it says nothing (K01.FR.11-13)."""
        cdef Py_ssize_t index = -1
        cdef double occurrence, begin, until
        if at < self._valid_from:
            until = self._valid_from
        elif at >= self._valid_to:
            until = INFINITY
        else:
            occurrence = self._occurrence(at)
            begin, until = self._begin(occurrence), self._begin(occurrence + 1.0)
            if at < begin:
                until = begin
            elif at < begin + self._duration_s:
                until = min(until, begin + self._duration_s)
                index = self._curve._find(begin, at)
                if index + 1 < self._curve._count:
                    until = min(until, begin + <double>self._curve._steps[index + 1].start)
            until = min(until, self._valid_to)
        if index != self._index:
            self._index, self._in_force = index, None
        self._until = until

    cdef InForce _holding(self):
        cdef InForce made
        if self._in_force is None:
            made = InForce.__new__(InForce)
            made.profile, made.index = self.profile, self._index
            self._in_force = made
        return self._in_force


cdef class Limits:
    """What an EVSE may draw, from groups of tracks: the first of a group that says something speaks for it.

    Where the first group, the EVSE's own, says nothing, `default_a` holds; nothing exceeds `most_a` (A per phase). A
    period that names no phases means `default_phases` of the `phases` there are. Not for several threads at once.
    """

    def __cinit__(self, list groups not None, double most_a, int phases, double default_a, int default_phases,
                  double voltage_v):
        if not groups:
            raise ValueError("the group of the EVSE's own profiles is missing")
        for group in groups:
            for each in <list?>group:
                if not isinstance(each, Track):
                    raise TypeError(f"a Track is needed, not {type(each).__name__}")
        self._groups = groups
        self._most_a, self._phases = most_a, phases
        self._default_a, self._default_phases, self._voltage_v = default_a, default_phases, voltage_v

    cdef double _look(self, double at, bint everything):
        """Let the tracks find what holds at an instant, those that know it already left out; until when it holds."""
        cdef double until = INFINITY
        cdef Track track
        cdef list group
        for group in self._groups:
            for each in group:
                track = <Track>each
                if everything or track._until <= at:
                    track._look(at)
                if track._until < until:
                    until = track._until
        return until

    cdef Limit _limit(self):
        """What the periods that hold allow together (K08.FR.04)."""
        cdef Limit made = Limit.__new__(Limit)
        cdef Track track, speaker
        cdef list group, speaking = []
        cdef double current = self._most_a, rate
        cdef int phases = self._phases, named
        cdef bint own = True
        for group in self._groups:
            speaker = None
            for each in group:
                track = <Track>each
                if track._index >= 0:
                    speaker = track
                    break
            if speaker is not None:
                speaking.append(speaker)
                named = speaker._curve._steps[speaker._index].phases
                phases = min(phases, self._default_phases if named in (0, UNNAMED) else named)
            elif own:
                current = min(current, self._default_a)
            own = False
        for index, each in enumerate(speaking):
            track = <Track>each
            rate = track._curve._steps[track._index].rate
            current = min(current, rate if track._amperes else rate / (self._voltage_v * phases))
            speaking[index] = track._holding()
        made.current_a, made.phases, made.sources = max(0.0, current), phases, tuple(speaking)
        return made

    def at(self, double instant):
        """The limit at an instant."""
        self._look(instant, True)
        return self._limit()

    def next_change(self, double after):
        """The next instant at which another period, or none, may hold; None for never."""
        cdef double until = self._look(after, True)
        return None if until == INFINITY else until

    def slices(self, double start, double duration, Py_ssize_t most, Py_ssize_t looks=MOST_LOOKS):
        """The limits from an instant on, as stretches of whole seconds that differ (K08.FR.02); `most` at most.

        They count from the second that `start` falls into, and end `duration` s after its begin, or sooner where there are
        more of them, or where so many periods that change nothing follow one another that `looks` are not enough:
        `told_s` says after how many seconds. Of several limits in one second the last one stands for it.
        """
        cdef list slices = []
        cdef Limit limit
        cdef Slice made, last = None
        cdef double origin = floor(start), at = start, until = self._look(start, True)
        cdef long second
        while at < origin + duration and len(slices) < most and looks > 0:
            looks -= 1
            limit, second = self._limit(), <long>(at - origin)
            if last is not None and last.start == second:
                slices.pop()
                last = <Slice>slices[len(slices) - 1] if slices else None
            if last is None or _differ(last.limit, limit):
                made = Slice.__new__(Slice)
                made.start, made.limit = second, limit
                slices.append(made)
                last = made
            at = until
            if at < origin + duration:
                until = self._look(at, False)
        self.told_s = max(0.0, min(duration, floor(at - origin)))
        return slices


cdef bint take(Step* step, object start, object limit, object phases) except -1:
    """Note a period, each of its numbers the next best one where it does not fit; whether all made sense."""
    cdef int overflow = 0
    cdef long named
    step.start = PyLong_AsLongLongAndOverflow(start, &overflow)
    cdef bint sound = overflow == 0
    step.rate = NAN if limit is None else as_double(limit)
    step.phases = UNNAMED
    if phases is not None:
        named = PyLong_AsLongAndOverflow(phases, &overflow)
        named = MOST_PHASES + 1 if overflow > 0 else max(-1, min(named, MOST_PHASES + 1))
        sound = sound and 0 <= named <= MOST_PHASES
        step.phases = <int>named
    return sound and step.rate >= 0.0


cdef inline tuple _numbers(const Step* step):
    return step.start, step.rate, None if step.phases == UNNAMED else step.phases


cdef inline bint _same(const Step* one, const Step* other) noexcept:
    return one.start == other.start and one.rate == other.rate and one.phases == other.phases


cdef inline bint _differ(Limit one, Limit other) noexcept:
    return one.current_a != other.current_a or one.phases != other.phases
