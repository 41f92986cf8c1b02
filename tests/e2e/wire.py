"""A small MQTT client of our own, 3.1.1 and 5, without threads: every byte is in a test's hand.

    wire = Wire(port, "app1", "secret", version=5).connect()
    wire.subscribe("tide/1/+/u/app1/res/#")     -> reason code of the SUBACK
    wire.publish("tide/1/home/u/app1/req/whoami", b"...")  -> reason code of the PUBACK
    wire.pump(lambda: wire.seen, 2)             -> reads until there is something, or the time is up

Stock clients hide what matters here: reason codes, wills, foreign properties, a socket that is
never read.
"""
import select
import socket
import struct
import time

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, DISCONNECT = 1, 2, 3, 4, 8, 9, 14
DENIED = 0x87
WAIT_S = 8.0


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(raw)) + raw


def number(value):
    """A variable byte integer."""
    out = b""
    while True:
        value, part = value >> 7, value & 0x7f
        out += bytes([part | (0x80 if value else 0)])
        if not value:
            return out


def take_number(raw, at):
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


class Wire:
    """One connection. seen: (topic, payload, retained) in the order in which they came."""

    def __init__(self, port, user, secret, version=5, client_id="", clean=True, will=None,
                 expiry_s=0):
        self.port, self.user, self.secret, self.version = port, user, secret, version
        self.client_id, self.clean, self.will, self.expiry_s = client_id, clean, will, expiry_s
        self.link, self.rest, self.packet_id = None, b"", 0
        self.seen, self.acks, self.code, self.closed = [], {}, None, False

    def properties(self, raw=b""):
        return number(len(raw)) + raw if self.version == 5 else b""

    def send(self, kind, flags, body):
        try:
            self.link.sendall(bytes([kind << 4 | flags]) + number(len(body)) + body)
        except OSError:
            self.closed = True

    def connect(self, wait=True):
        self.link = socket.create_connection(("127.0.0.1", self.port), 5)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.code, self.closed, self.rest = None, False, b""
        flags = (0x80 if self.user is not None else 0) | (0x40 if self.secret is not None else 0)
        flags |= (0x02 if self.clean else 0) | (0x0c | 0x20 if self.will else 0)
        expiry = b"\x11" + struct.pack(">I", self.expiry_s) if self.expiry_s else b""
        body = text("MQTT") + bytes([self.version, flags]) + struct.pack(">H", 60)
        body += self.properties(expiry) + text(self.client_id)
        if self.will:
            body += self.properties() + text(self.will[0]) + text(self.will[1])
        body += text(self.user) if self.user is not None else b""
        body += text(self.secret) if self.secret is not None else b""
        self.send(CONNECT, 0, body)
        if wait:
            self.pump(lambda: self.code is not None or self.closed, WAIT_S)
        return self

    def next_id(self):
        self.packet_id = self.packet_id % 65535 + 1
        return self.packet_id

    def awaited(self, packet_id):
        self.pump(lambda: packet_id in self.acks or self.closed, WAIT_S)
        return self.acks.pop(packet_id, None)

    def subscribe(self, topic, qos=1):
        """The SUBACK's code; None when the connection ended instead."""
        packet_id = self.next_id()
        self.send(SUBSCRIBE, 2, struct.pack(">H", packet_id) + self.properties() + text(topic)
                  + bytes([qos]))
        return self.awaited(packet_id)

    def publish(self, topic, payload, retain=False, properties=b"", wait=True):
        """At QoS 1. The PUBACK's code (3.1.1: always 0); None when the connection ended."""
        packet_id = self.next_id()
        self.send(PUBLISH, 2 | retain, text(topic) + struct.pack(">H", packet_id)
                  + self.properties(properties) + payload)
        return self.awaited(packet_id) if wait else None

    def close(self, cut=False):
        """Says goodbye, or just goes (then its will is published)."""
        if self.link is not None:
            if not cut and not self.closed:
                self.send(DISCONNECT, 0, b"")
            self.link.close()
        self.closed = True

    # ---- reading
    def pump(self, condition, seconds):
        """Reads until the condition holds; False when the time was up."""
        return pump([self], condition, seconds)

    def read(self):
        try:
            raw = self.link.recv(262144)
        except OSError:
            raw = b""
        if not raw:
            self.closed = True
        self.rest += raw
        while self.take_packet():
            pass

    def take_packet(self):
        if len(self.rest) < 2:
            return False
        try:
            size, at = take_number(self.rest, 1)
        except IndexError:
            return False
        if len(self.rest) < at + size:
            return False
        head, body, self.rest = self.rest[0], self.rest[at:at + size], self.rest[at + size:]
        self.take(head >> 4, head & 15, body)
        return True

    def take(self, kind, flags, body):
        if kind == CONNACK:
            self.code = body[1]
        elif kind == PUBACK:
            self.acks[struct.unpack(">H", body[:2])[0]] = body[2] if len(body) > 2 else 0
        elif kind == SUBACK:
            self.acks[struct.unpack(">H", body[:2])[0]] = body[-1]
        elif kind == PUBLISH:
            size = struct.unpack(">H", body[:2])[0]
            topic, at = body[2:2 + size].decode("utf-8", "replace"), 2 + size
            if flags & 6:
                self.send(PUBACK, 0, body[at:at + 2])
                at += 2
            if self.version == 5:
                size, at = take_number(body, at)
                at += size
            self.seen.append((topic, body[at:], bool(flags & 1)))
        elif kind == DISCONNECT:
            self.closed = True


def pump(wires, condition, seconds):
    """Reads from all of them until the condition holds; False when the time was up."""
    deadline = time.monotonic() + seconds
    while not condition():
        left = deadline - time.monotonic()
        live = [wire for wire in wires if not wire.closed]
        if left <= 0 or not live:
            return bool(condition())
        ready, _, _ = select.select([wire.link for wire in live], [], [], min(left, 0.5))
        for wire in live:
            if wire.link in ready:
                wire.read()
    return True
