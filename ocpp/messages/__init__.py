"""Message and data types of OCPP 1.6, 2.0.1 and 2.1, generated from the official JSON schemas.

`v16`, `v2` (2.1 shapes, what every 2.x handler is written against) and `v201` (where 2.0.1 differs) hold the classes;
`catalogue(version)` decodes and encodes them.
"""

from ocpp.messages.catalogue import Catalogue, catalogue

__all__ = ["Catalogue", "catalogue"]
