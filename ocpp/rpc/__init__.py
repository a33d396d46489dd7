"""OCPP-J: calls, results and errors over a message link; the same for a station and a CSMS, without a socket.

`session` is the protocol of one connection (bytes in, events out), `endpoint` the asyncio side that calls across
connections, `answering` what it does with the calls of the peer, `outbox` the durable queue of transaction-related
messages, `permission` the rule which messages may go out before the CSMS has accepted the station.
"""
