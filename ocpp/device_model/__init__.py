"""Components, variables and their attributes; the standard ones as tables; the 1.6 configuration keys as a view."""

from ocpp.device_model.address import Component, Variable
from ocpp.device_model.model import DeviceModel

__all__ = ["Component", "DeviceModel", "Variable"]
