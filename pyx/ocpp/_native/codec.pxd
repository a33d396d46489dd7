# The codec of one protocol version, as the compiled reader and writer of frames see it.

cdef class Codec:
    cdef readonly str action
    cdef readonly object kind
    cdef bytes spelled
    cdef object decode
    cdef bint dated
    cdef object holds
    cdef object exactly

    cpdef object read(self, object payload)


cdef class Requests:
    cdef object missing
    cdef object refusal
    cdef list codecs
    cdef short[256] slots

    cdef Codec at(self, const unsigned char* action, Py_ssize_t size)
    cdef Codec named(self, str action)
    cdef void keep(self, Codec codec)


cdef class Writer:
    cdef readonly object encode_any
    cdef object narrow
    cdef set ready
    cdef object newest

    cpdef bytes encode(self, object message)
    cdef object narrowed(self, object message)
