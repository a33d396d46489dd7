"""An emulated MFRC522 (NXP data sheet, rev. 3.9) with ISO 14443 A cards in its field."""

import errno

COMMAND, COM_IRQ, DIV_IRQ, ERROR = 0x01, 0x04, 0x05, 0x06
FIFO_DATA, FIFO_LEVEL, BIT_FRAMING = 0x09, 0x0A, 0x0D
TX_CONTROL, TX_ASK, CRC_HIGH, CRC_LOW, VERSION = 0x14, 0x15, 0x21, 0x22, 0x37
SELECTS = (0x93, 0x95, 0x97)


def crc_a(data: bytes) -> bytes:
    """ISO/IEC 14443-3 annex B.1: polynomial 0x1021 reflected, preset 0x6363."""
    crc = 0x6363
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


class Card:
    """A card by its UID; it answers as its state allows."""

    def __init__(self, uid: str) -> None:
        raw = bytes.fromhex(uid)
        parts = {4: [raw], 7: [b"\x88" + raw[:3], raw[3:]], 10: [b"\x88" + raw[:3], b"\x88" + raw[3:6], raw[6:]]}[
            len(raw)
        ]
        self.levels = [part + bytes([part[0] ^ part[1] ^ part[2] ^ part[3]]) for part in parts]
        self.level = 0
        self.state = "idle"

    def called(self, command: int) -> bytes | None:
        if self.state in ("ready", "active"):
            self.state = "idle"  # it does not expect that now, and says nothing (ISO/IEC 14443-3 clause 6.3)
            return None
        if command == 0x26 and self.state == "halted":
            return None
        self.state, self.level = "ready", 0
        return bytes([0x04 | (len(self.levels) - 1) << 6, 0x00])

    def bits(self, level: int) -> int:
        return int.from_bytes(self.levels[level], "little")

    def selected(self, level: int, uid: bytes) -> bytes | None:
        if self.state != "ready" or level != self.level or self.levels[level] != uid:
            self.state = "idle"
            return None
        self.level += 1
        more = self.level < len(self.levels)
        self.state = "ready" if more else "active"
        sak = bytes([0x04 if more else 0x20])
        return sak + crc_a(sak)


class Mfrc522Chip:
    """`cards` are in its field. Faults: see the attributes."""

    def __init__(self) -> None:
        self.cards: list[Card] = []
        self.absent = False
        """Nobody drives MISO, which floats high."""
        self.broken = False
        """The SPI controller fails."""
        self.stuck = False
        """It never gets done with anything."""
        self.parity_errors = False
        self.wrong_crc = False
        self.reset()

    def reset(self) -> None:
        self.registers = bytearray(64)
        self.registers[VERSION], self.registers[TX_CONTROL] = 0x92, 0x80
        self.fifo = bytearray()

    def transfer(self, data: bytes) -> bytes:
        if self.broken:
            raise OSError(errno.EIO, "no SPI")
        if self.absent:
            return b"\xff" * len(data)
        register = data[0] >> 1 & 0x3F
        if data[0] & 0x80:
            addresses = [each >> 1 & 0x3F for each in data[:-1]]
            return b"\x00" + bytes(self._read(each) for each in addresses)
        for value in data[1:]:
            self._write(register, value)
        return bytes(len(data))

    def _read(self, register: int) -> int:
        if register == FIFO_DATA:
            return self.fifo.pop(0) if self.fifo else 0
        if register == FIFO_LEVEL:
            return len(self.fifo)
        return self.registers[register]

    def _write(self, register: int, value: int) -> None:
        if register == FIFO_DATA:
            self.fifo.append(value)
        elif register == FIFO_LEVEL and value & 0x80:
            self.fifo.clear()
        elif register in (COM_IRQ, DIV_IRQ):
            self.registers[register] = (
                self.registers[register] | value & 0x7F if value & 0x80 else (self.registers[register] & ~value)
            )
        elif register == COMMAND and value == 0x0F:
            self.reset()
        else:
            self.registers[register] = value
            self._work(register, value)

    def _work(self, register: int, value: int) -> None:
        if self.stuck:
            return
        if register == COMMAND and value == 0x03:
            self.registers[CRC_LOW], self.registers[CRC_HIGH] = crc_a(bytes(self.fifo))
            self.fifo.clear()
            self.registers[DIV_IRQ] |= 0x04
        if register == BIT_FRAMING and value & 0x80 and self.registers[COMMAND] & 0x0F == 0x0C:
            self._transceive(value & 7, value >> 4 & 7)

    def _transceive(self, last_bits: int, align: int) -> None:
        sent = bytes(self.fifo)
        self.fifo.clear()
        self.registers[ERROR] = 0
        field = self.registers[TX_CONTROL] & 3 == 3 and self.registers[TX_ASK] == 0x40
        answer = self._air(sent, last_bits, align) if field else None
        if answer is None:
            self.registers[COM_IRQ] |= 0x01
            return
        if self.parity_errors:
            self.registers[ERROR] |= 0x02
        self.fifo += answer
        self.registers[COM_IRQ] |= 0x20

    def _air(self, sent: bytes, last_bits: int, align: int) -> bytes | None:
        if last_bits == 7 and len(sent) == 1:
            answers = [each for card in self.cards if (each := card.called(sent[0])) is not None]
            return self._mixed(answers)
        if sent[:2] == b"\x50\x00":
            for card in self.cards:
                if card.state == "active" and crc_a(sent[:2]) == sent[2:]:
                    card.state = "halted"
            return None
        if sent[0] not in SELECTS:
            return None
        level = SELECTS.index(sent[0])
        if sent[1] == 0x70:
            return self._selection(level, sent)
        assert sent[1] & 0x0F == last_bits == align
        return self._anticollision(level, sent[2:], ((sent[1] >> 4) - 2) * 8 + last_bits)

    def _selection(self, level: int, sent: bytes) -> bytes | None:
        if crc_a(sent[:7]) != sent[7:]:
            return None
        answers = [each for card in self.cards if (each := card.selected(level, sent[2:7])) is not None]
        answer = self._mixed(answers)
        return answer[:-1] + bytes([answer[-1] ^ 1]) if answer and self.wrong_crc else answer

    def _anticollision(self, level: int, prefix: bytes, known: int) -> bytes | None:
        mask = (1 << known) - 1
        wanted = int.from_bytes(prefix, "little") & mask
        answers = [
            card.bits(level)
            for card in self.cards
            if card.state == "ready" and card.level == level and card.bits(level) & mask == wanted
        ]
        if not answers:
            return None
        # the bits already known are not sent; the first received bit lies behind them in its byte
        return self._mixed([(each & ~mask).to_bytes(5, "little")[known // 8 :] for each in answers])

    def _mixed(self, answers: list[bytes]) -> bytes | None:
        if not answers:
            return None
        if any(each != answers[0] for each in answers):
            self.registers[ERROR] |= 0x08
        return answers[0]
