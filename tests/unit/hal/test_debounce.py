from hal.debounce import Debounce


def test_a_level_counts_once_it_has_stayed():
    contact = Debounce(0.1, False)
    assert not contact.see(True, 0.0)
    assert contact.settling
    assert not contact.see(True, 0.09)
    assert contact.see(True, 0.1)
    assert contact.level
    assert not contact.settling
    assert not contact.see(True, 0.2)


def test_bouncing_starts_anew_every_time():
    contact = Debounce(0.1, False)
    for turn in range(100):
        assert not contact.see(turn % 2 == 0, 0.05 * turn)
    assert not contact.level


def test_without_time_to_settle_it_changes_at_once():
    contact = Debounce(0.0, True)
    assert contact.see(False, 5.0)
    assert not contact.level
