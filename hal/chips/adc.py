"""The ADCs there are, as an option of a driver: `adc = {chip = "ads1115", address = 0x48, channel = 0}`."""

from hal.chips.ads1115 import Ads1115Input
from hal.chips.mcp3208 import Mcp3208Input
from hal.chips.mcp3424 import Mcp3424Input

AdcInput = Ads1115Input | Mcp3424Input | Mcp3208Input
"""Options of a channel; `open(bench)` claims it. `chip` says which they are."""
