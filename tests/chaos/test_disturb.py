#!/usr/bin/python3
"""What else goes wrong on a long day: a daemon or a broker that stands still, a full inbox, a
broker that comes back with nothing at all, clocks that jump, a gateway that was away for a day, an
arm that must not open late."""
import glob
import os
import signal
import sys
import time

import chaos
from chaos import FIGURES, LONG, Ledger, Swarm, Town, check, equal, expect, figures
import harness
from harness import (RES_PLATE, STRANGER_PLATE, Skip, Tide, civil, items, real_time,
                     round_up, run_tests, shared, test, wait_for)

del harness.TESTS[:]
import test_gateway  # noqa: E402  its stage: real gateway, devices, field broker
del harness.TESTS[:]

STALL_S = 30 if LONG else 6  # longer than the life of a pulse
PASSES = 1440 if LONG else 200  # of the day on which the line is gone
CLIENTS = 200
HOUR_S = 3600

town = shared(lambda: Town(clients=CLIENTS, conf={"inbox_max": 16}))


# ---- standing still -----------------------------------------------------------------------------


@test
def a_daemon_and_a_broker_stand_still():
    swarm = Swarm(town(), ledger=True)
    ledger = Ledger(swarm.ledger)
    swarm.order("load", CLIENTS, 200)
    time.sleep(0.5)
    for process in (town().process, town().broker.process):
        process.send_signal(signal.SIGSTOP)
        time.sleep(STALL_S)
        process.send_signal(signal.SIGCONT)
        swarm.order("mark")
        served = swarm.order("served", 20000)
        equal(served["served"], CLIENTS, "clients served again")
        FIGURES["stall_served_p99_ms"] = max(FIGURES.get("stall_served_p99_ms", 0),
                                             served["p99_us"] // 1000)
    equal(swarm.order("drain", 15000)["pending"], 0, "requests without an answer")
    ledger.read()
    wait_for(lambda: town().metric("tide_fold_lag_events") == 0, "the tables are there")
    ledger.look_exactly(town())
    heard = swarm.order("audit", 500, 10000)
    equal((heard["differ"], heard["pending"]), (0, 0), "answers heard again")
    swarm.close()


@test
def a_full_inbox_says_so():
    """Sixteen places; bursts of two hundred. Everybody is answered: done, or busy."""
    swarm = Swarm(town(), more=1, qos=0)
    swarm.order("pace", 20000, CLIENTS)
    time.sleep(1.5)
    equal(swarm.order("drain", 20000)["pending"], 0, "requests under way")
    stats, dropped = swarm.order("stats"), town().metric("tide_inbox_dropped_total")
    print("# %d sent: %d done, %d busy, %d without a word" % (
        stats["sent"], stats["ok"], stats["busy"], stats["given_up"]))
    FIGURES.update(inbox_sent=stats["sent"], inbox_busy=stats["busy"],
                   inbox_silent=stats["given_up"])
    check(dropped > 0 and stats["busy"] > 0, "the inbox was never full: %r", stats)
    equal(stats["given_up"], 0, "requests without a word")
    swarm.close()


@test
def a_broker_comes_back_with_nothing():
    """No retained message, no account, no access list: the daemon brings them all."""
    folder = town().broker.folder
    swarm = Swarm(town(), more=2)
    town().broker.stop(signal.SIGKILL)
    for path in glob.glob(folder + "/*"):
        os.remove(path)
    names = ("password_file", "acl_file")
    wait_for(lambda: all(os.path.exists(os.path.join(folder, n)) for n in names),
             "the accounts are there again", 10)
    town().broker.start()
    swarm.order("load", CLIENTS, 200)
    swarm.order("mark")
    served = swarm.order("served", 15000)
    equal(served["served"], CLIENTS, "clients served again")
    swarm.order("drain", 5000)
    swarm.close()
    town().secrets["s0"] = chaos.SECRET
    fresh = town().new_client("s0")
    equal(fresh.wait_message("/pub/zone/A")["slots"], 400, "slots of zone A")
    fresh.wait_message("/sys/n1", lambda body: body["state"] == "up")
    chaos.verify(town())
    town().close()


# ---- the arm ------------------------------------------------------------------------------------


@test
def no_arm_opens_late():
    with test_gateway.Real() as real:
        tide, devices, gateway = real.tide, real.devices, real.gateway
        wait_for(lambda: gateway.lines("list"), "the list of plates came")
        guard, broker = tide.client("guard1"), tide.broker.process
        orders = tide.rows("SELECT count(*) FROM command")[0][0]
        # The daemon stands still over a question: the gateway decides by itself, once.
        tide.process.send_signal(signal.SIGSTOP)
        devices.plate(test_gateway.SN_IN, RES_PLATE)
        wait_for(devices.pulses, "the own list opens")
        # While it does, the guard presses the button and the broker stands still too: the order is
        # made when the daemon goes on, and reaches the gateway when its life is over.
        guard.paho.publish(guard.request_topic("gate.open"), (
            '{"rid":"hand-1","expires":"%s","lane":"G1-in"}' % real_time(5)).encode(), 1)
        time.sleep(0.5)
        broker.send_signal(signal.SIGSTOP)
        tide.process.send_signal(signal.SIGCONT)
        wait_for(lambda: tide.rows("SELECT count(*) FROM command")[0][0] > orders,
                 "an order is made", 10)
        time.sleep(max(6, STALL_S))
        broker.send_signal(signal.SIGCONT)
        # A broker that stands still for longer than a keepalive loses it: that is not late either.
        wait_for(lambda: gateway.lines("gate.expired")
                 or LONG and tide.healthy() and tide.metric("tide_commands_expired_total") >= 1,
                 "the order is over when it comes", 60 if LONG else 15, 0.2)
        time.sleep(1.0)
        equal(len(devices.pulses()), 1, "pulses")
        check(tide.metric("tide_commands_expired_total") >= 1, "the daemon sends it for ever")
        wait_for(tide.healthy, "tided is up", 15)
        first = devices.mark()
        devices.plate(test_gateway.SN_IN, RES_PLATE)
        devices.wait("/gpio_out", first=first)
        FIGURES["late_pulses"] = 0


@test
def a_gateway_was_away_for_a_day():
    with test_gateway.Real() as real:
        tide, devices, gateway = real.tide, real.devices, real.gateway
        wait_for(lambda: gateway.lines("list"), "the list of plates came")
        tide.broker.stop(signal.SIGKILL)
        wait_for(lambda: [line for line in gateway.lines("daemon") if not line["line"]],
                 "the gateway knows that the line is gone")
        began, orders = time.time() - 86400, tide.rows("SELECT count(*) FROM command")
        for number in range(PASSES):
            plate = RES_PLATE if number % 2 else "浙FY%04d" % number
            devices.plate(test_gateway.SN_IN, plate, now=began + number * 86400 / PASSES,
                          offline=number % 3 == 0)
            if number == PASSES // 2:
                time.sleep(1.0)
                gateway.stop(signal.SIGKILL)
                gateway.start()
                wait_for(lambda: len([line for line in gateway.lines("field") if line["line"]])
                         == 2, "the field is there again")
            time.sleep(0.005)
        time.sleep(1.0)
        pulses = len(devices.pulses())
        tide.broker.start()


        def count():
            return tide.rows("SELECT count(*) FROM passage")[0][0]

        wait_for(lambda: count() >= PASSES, "all passes are in the daemon's book", 60, 0.5)
        rows = count()
        equal(tide.rows("SELECT count(*) FROM command"), orders, "orders for a day that is over")
        equal(len(devices.pulses()), pulses, "pulses for a day that is over")
        FIGURES.update(spooled_passes=rows)
        print("# %d passes of the day without a line, all in the book" % rows)
        gateway.stop()
        equal(tide.stop(), 0, "exit code")
        code, words = tide.verify()
        equal(code, 0, "tided --verify: " + words[-300:])


# ---- clocks -------------------------------------------------------------------------------------


class Clockwork(Tide):
    """A daemon whose wall clock is ours (libfaketime); elapsed time runs as it does."""

    LIBRARY = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")

    def __init__(self, offset_s=0, **options):
        if not self.LIBRARY:
            raise Skip("libfaketime is not installed")
        self.offset_file = None
        self.first_s = offset_s
        super().__init__(**options)

    def start(self, wait=True):
        if self.offset_file is None:
            self.offset_file = os.path.join(self.folder, "offset")
            self.turn(self.first_s)
        fake = {"LD_PRELOAD": self.LIBRARY[0], "FAKETIME_TIMESTAMP_FILE": self.offset_file,
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}
        with open(self.log, "ab") as log:
            self.process = harness.start(self.argv(), stdout=log, stderr=log,
                                         env=dict(os.environ, **fake))
        if wait:
            wait_for(self.healthy, "tided is up", 15)

    def turn(self, offset_s):
        """The wall clock is so far from the truth from now on."""
        path = self.offset_file + ".new"
        with open(path, "w", encoding="utf-8") as file:
            file.write("%+d\n" % offset_s)
        os.replace(path, self.offset_file)

    def jumps(self):
        return sum('"clock.jump"' in line for line in self.log_lines())

    def turn_and_see(self, offset_s):
        before = self.jumps()
        self.turn(offset_s)
        wait_for(lambda: self.jumps() > before, "the jump to %+d s is seen" % offset_s, 10, 0.1)

    def suspended(self):
        reply = expect(self.client("admin").request("status.read", {}), "ok")
        return bool(items(reply, "status")[0].get("clock_suspended"))


def book(tide, plate, hours, life_s=3 * HOUR_S):
    start = round_up(harness.datetime.datetime.now(harness.UTC)
                     + harness.datetime.timedelta(hours=hours))
    body = {"plate": plate, "zone": "A", "visitor": True, "start": civil(start),
            "end": civil(start + harness.datetime.timedelta(hours=1))}
    rid, life = "clock-%s" % plate[-4:], real_time(life_s)
    return (body, rid, life), tide.client("res1").request("parking.book", body, rid, life)


@test
def a_clock_steps_an_hour_back_and_forth():
    tide = Clockwork().import_neighbourhood()
    kept = [book(tide, "浙FC0001", 5)]
    expect(kept[0][1], "ok")
    whens = []
    for number, offset_s in enumerate((-HOUR_S, 0, HOUR_S, 0), 2):
        tide.turn_and_see(offset_s)
        kept.append(book(tide, "浙FC%04d" % number, 5 + number))
        expect(kept[-1][1], "ok")
        whens.append((offset_s, tide.suspended()))
        if tide.suspended():
            expect(tide.client("admin").request("clock.accept", {}, expires=real_time(2 * HOUR_S)),
                   "ok")
    equal(whens, [(-HOUR_S, False), (0, False), (HOUR_S, True), (0, False)], "deadlines suspended")
    for (body, rid, life), reply in kept:
        equal(tide.client("res1").request("parking.book", body, rid, life), reply, "the same rid")
    times = [row[0] for row in tide.rows("SELECT when_ms FROM journal ORDER BY seq")]
    equal(times, sorted(times), "the journal's time went back")
    rows = items(expect(tide.client("res1").ask("parking.list"), "ok"), "booking")
    equal(len(rows), len(kept), "bookings")
    equal(tide.stop(), 0, "exit code")
    tide.turn(0)
    tide.start()
    equal(len(items(expect(tide.client("res1").ask("parking.list"), "ok"), "booking")), len(kept),
          "bookings after a restart")
    equal(tide.stop(), 0, "exit code")
    code, words = tide.verify()
    equal(code, 0, "tided --verify: " + words[-300:])
    tide.close()


@test
def a_clock_starts_in_1970():
    """No battery: until the time is fetched nothing is decided by a clock that is wrong."""
    tide = Clockwork().import_neighbourhood()
    (body, rid, life), made = book(tide, "浙FC1970", 5)
    expect(made, "ok")
    equal(tide.stop(), 0, "exit code")
    tide.turn(-int(time.time()) + 60)
    tide.start()
    check(tide.suspended(), "deadlines run by a clock of 1970")
    equal(tide.client("res1").request("parking.book", body, rid, life), made, "the same rid")
    _, refused = book(tide, "浙FC1971", 7)
    expect(refused, "invalid")
    equal(refused.get("at"), "expires", "what is refused")
    tide.turn_and_see(0)
    expect(tide.client("admin").ask("clock.accept"), "ok")
    expect(book(tide, "浙FC1972", 7)[1], "ok")
    check(not tide.suspended(), "deadlines wait after all")
    apart = abs((tide.now() - harness.datetime.datetime.now(harness.UTC)).total_seconds())
    check(apart < 30, "its time is %d s from the truth", apart)
    times = [row[0] for row in tide.rows("SELECT when_ms FROM journal ORDER BY seq")]
    equal(times, sorted(times), "the journal's time went back")
    equal(tide.stop(), 0, "exit code")
    code, words = tide.verify()
    equal(code, 0, "tided --verify: " + words[-300:])
    tide.close()


if __name__ == "__main__":
    result = run_tests()
    figures()
    sys.exit(result)
