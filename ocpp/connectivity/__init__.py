"""Connections to the CSMS: network profiles, back-off, version offer, supervision. Nobody else opens sockets."""

from ocpp.connectivity.manager import ConnectionStatus, ConnectivityManager
from ocpp.connectivity.profile import NetworkProfile

__all__ = ["ConnectionStatus", "ConnectivityManager", "NetworkProfile"]
