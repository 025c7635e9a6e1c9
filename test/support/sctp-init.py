"""Sends the first packet of an SCTP association, INIT of RFC 9260: python3 sctp-init.py ADDRESS PORT.

By a raw socket, because kernels without SCTP of their own forward it all the same. Neither Node nor bash opens such a socket.
"""

import socket
import struct
import sys


def crc32c(data):
    """The checksum of RFC 9260, appendix A."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


address, port = sys.argv[1], int(sys.argv[2])
header = struct.pack("!HHI", 40000, port, 0)
# Type, flags, length, tag, window, streams out and in, first sequence number.
chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 1, 65536, 1, 1, 1)
checksum = struct.pack("<I", crc32c(header + bytes(4) + chunk))
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_SCTP)
raw.sendto(header + checksum + chunk, (address, 0))
