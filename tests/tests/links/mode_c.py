"""Reads a meter out in IEC 62056-21 mode C with pyserial, and checks the block check character by itself."""

import sys
import time

import serial

RATES = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200}

port = serial.Serial(sys.argv[1], 300, bytesize=7, parity="E", stopbits=1, timeout=5)
port.write(b"/?!\r\n")
identification = port.readline()
assert identification.startswith(b"/"), identification
rate = chr(identification[4])
port.write(b"\x060" + rate.encode() + b"0\r\n")
port.flush()
time.sleep(6 * 10 / 300)
port.baudrate = RATES[rate]
block = port.read_until(b"\x03")
check = port.read(1)[0] & 0x7F
assert block[:1] == b"\x02", block[:20]
computed = 0
for octet in block[1:]:
    computed ^= octet & 0x7F
assert computed == check, (computed, check)
print(block[1:-1].decode("ascii"))
