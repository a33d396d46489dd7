"""OCPP 2.0.1 and 2.1: one module per functional block, on the shared domain.

Handlers are written against `ocpp.messages.v2` and need not care which of the two versions is spoken.
"""
