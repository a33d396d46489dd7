import pytest

from hal.claims import Claims
from hal.errors import ClaimError


def test_a_resource_has_one_owner_and_an_error_names_both():
    claims = Claims()
    claims.take("pin gpiochip0/17", "K1")
    with pytest.raises(ClaimError, match="pin gpiochip0/17 is claimed twice: by K1 and by LED"):
        claims.take("pin gpiochip0/17", "LED")
    claims.take("pin gpiochip0/18", "LED")
    assert claims.taken == {"pin gpiochip0/17": "K1", "pin gpiochip0/18": "LED"}


def test_what_is_released_may_be_claimed_again():
    claims = Claims()
    claims.take("I2C address 0x48", "CP")
    claims.release("I2C address 0x48")
    claims.release("never claimed")
    claims.take("I2C address 0x48", "PP")
    assert claims.taken == {"I2C address 0x48": "PP"}
