"""The station program: configuration file, wiring of `hal` to `ChargePoint`, local API, command line."""
