from ocpp.station.hardware import Reports


class Charging:
    def __init__(self) -> None:
        self.tampered: list[str] = []

    def tamper_detected(self, info):
        self.tampered.append(info)


def test_what_was_opened_is_told_and_not_that_it_was_closed_again():
    reports = Reports()
    reports.tamper(1, True, "before there is a charge point")
    reports.charge_point = charging = Charging()
    reports.tamper(1, True, "lid")
    reports.tamper(1, False, "lid")
    assert charging.tampered == ["lid"]
