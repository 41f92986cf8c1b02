#!/usr/bin/python3
"""One user who does not stop asking: flood.py PORT USER SECRET, until it is ended."""
import sys

from wire import Wire

sys.dont_write_bytecode = True


def main():
    port, user, secret = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    wire = Wire(port, user, secret).connect()
    topic = "tide/1/home/u/%s/req/account.read" % user
    number = 0
    while not wire.closed:
        for _ in range(50):
            number += 1
            wire.publish(topic, b'{"rid":"flood-%d"}' % number, wait=False)
        wire.publish(topic, b'{"rid":"flood-wait"}')  # as fast as the broker takes it
        wire.acks.clear()
    return 0


if __name__ == "__main__":
    sys.exit(main())
