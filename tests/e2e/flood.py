#!/usr/bin/python3
"""One user who does not stop asking: flood.py PORT USER SECRET, until it is ended.

His telephone has a processor of its own: where latencies are judged (TIDE_SOAK) it takes only what
nobody else wants of this machine's, or the others would wait for the phone rather than for the
daemon."""
import os
import sys
import time

from wire import Wire

sys.dont_write_bytecode = True


def step_back():
    """The lowest weight, also where the kernel weighs whole sessions."""
    os.setsid()
    os.nice(19)
    try:
        with open("/proc/self/autogroup", "w", encoding="ascii") as group:
            group.write("19")
    except OSError:
        pass  # no such groups here: nice is enough


def ask(wire, topic, number):
    """As fast as the broker takes it, until it ends the session; returns the next number."""
    while not wire.closed:
        for _ in range(50):
            number += 1
            wire.publish(topic, b'{"rid":"flood-%d"}' % number, wait=False)
        wire.publish(topic, b'{"rid":"flood-wait"}')
        wire.acks.clear()
    return number


def main():
    if os.environ.get("TIDE_SOAK"):
        step_back()
    port, user, secret = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    topic = "tide/1/home/u/%s/req/account.read" % user
    number = 0
    while True:  # shut out, he tries again
        wire = Wire(port, user, secret)
        try:
            if wire.connect().code == 0:
                number = ask(wire, topic, number)
        except OSError:
            pass
        wire.close(cut=True)
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
