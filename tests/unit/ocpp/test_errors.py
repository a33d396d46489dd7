import inspect

from ocpp import errors


def test_every_error_has_the_one_root_and_stands_in_the_tree_of_the_docstring():
    tree = errors.__doc__ or ""
    for name, error in inspect.getmembers(errors, inspect.isclass):
        assert issubclass(error, errors.PilotwireError), name
        assert name in tree, f"{name} is missing in the tree"


def test_errors_are_also_what_python_calls_them():
    assert issubclass(errors.ConfigurationError, ValueError)
    assert issubclass(errors.CallTimeout, TimeoutError)
    assert issubclass(errors.NotConnected, ConnectionError)
    assert issubclass(errors.ConnectError, ConnectionError)
    assert issubclass(errors.DeviceModelError, LookupError)


def test_a_hint_tells_what_to_do():
    error = errors.HandshakeRefused(401, "the CSMS answered the handshake with HTTP 401", "check identity and password")
    assert str(error) == "the CSMS answered the handshake with HTTP 401 (check identity and password)"
    assert error.status == 401
