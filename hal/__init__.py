"""The hardware layer: contactors, control pilot, meters, card readers and locks. It knows nothing of OCPP."""
