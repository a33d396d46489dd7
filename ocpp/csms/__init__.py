"""A small development CSMS: accepts stations of every version, shows the traffic, sends any request."""
