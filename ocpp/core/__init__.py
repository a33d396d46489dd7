"""The domain every protocol version shares: EVSEs, authorization, transactions, metering, availability.

Nothing here knows a message or a version. The strategies in `ocpp.v16` and `ocpp.v2` listen (`core.events`) and
translate; the firmware is asked through `core.hardware`.
"""
