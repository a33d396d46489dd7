from support.kernel import Registers

from hal.keeper import Keeper, Plan, SafeLevel, SafeRegisters, make_safe

CHIP = "/dev/gpiochip0"


def test_levels_are_driven(kernel):
    kernel.gpio.levels[17], kernel.gpio.levels[27] = 1, 0
    said: list[str] = []
    assert make_safe(Plan((SafeLevel(CHIP, 17, False), SafeLevel(CHIP, 27, True))), said.append)
    assert (kernel.gpio.levels[17], kernel.gpio.levels[27]) == (0, 1)
    assert said == []


def test_a_line_that_fails_is_named(kernel):
    kernel.gpio.broken.add(17)
    said: list[str] = []
    ticks = iter([0.0, 9.0])
    assert not make_safe(Plan((SafeLevel(CHIP, 17, False),)), said.append, lambda: next(ticks))
    assert "17" in said[0]


def test_its_process_writes_to_a_chip_on_the_bus(kernel):
    chip = kernel.i2c.parts[0x40] = Registers(b"\xff" * 256)
    keeper = Keeper((SafeRegisters("/dev/i2c-1", 0x40, b"\xfd\x10"),))
    keeper.start()
    keeper.pulse()
    keeper.stop(safe=False)
    assert chip.content[0xFD] == 0x10
