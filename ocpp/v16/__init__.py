"""OCPP 1.6: one module (or folder of use cases) per feature profile, on the shared domain."""
