#!/usr/bin/python3
"""mosquitto_pub, mosquitto_sub and JSON typed by hand: a whole booking, at QoS 0 and 1, with MQTT
3.1.1 and 5. Nothing of Tide's own is used on this side."""
import json
import subprocess
import sys
import tempfile

from harness import Tide, check, equal, real_time, run_tests, shared, test, wait_for

tide = shared(lambda: Tide(scale=60, start_at="2019-05-20T08:00+08:00").import_neighbourhood())


def options(version):
    return ["-h", "127.0.0.1", "-p", str(tide().broker.port), "-u", "res1", "-P",
            tide().secrets["res1"], "-V", version]


def say(op, body, rid, qos, version):
    """Subscribes to the one reply, says it, returns what came as text."""
    with tempfile.NamedTemporaryFile("w+") as told:
        answer = "tide/1/home/u/res1/res/" + rid
        listener = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", "-C", "1", "-W", "10", "-d",
                                     "-q", str(qos), "-t", answer] + options(version),
                                    stdout=told, stderr=told)

        def text():
            with open(told.name, encoding="utf-8") as file:
                return file.read()

        wait_for(lambda: "received SUBACK" in text(), "mosquitto_sub listens")
        said = ["mosquitto_pub", "-q", str(qos), "-t", "tide/1/home/u/res1/req/" + op, "-m", body]
        subprocess.run(said + options(version), check=True, timeout=20)
        equal(listener.wait(15), 0, "mosquitto_sub")
        lines = [line for line in text().splitlines() if line.startswith("{")]
    check(len(lines) == 1, "one reply: %r", lines)
    return json.loads(lines[0])


def whole_booking(qos, version):
    life = real_time(120)
    tag = "%d%s" % (qos, version)
    quote = say("parking.quote", '{"rid":"q-%s","zone":"A","start":"2019-05-20T20:00+08:00",'
                '"end":"2019-05-20T22:00+08:00"}' % tag, "q-" + tag, qos, version)
    equal((quote["code"], quote["items"][0]["minutes"]), ("ok", 120), "quote")
    body = ('{"rid":"b-%s","expires":"%s","plate":"浙F·B5678","zone":"A",'
            '"start":"2019-05-20T20:00+08:00","end":"2019-05-20T22:00+08:00"}' % (tag, life))
    made = say("parking.book", body, "b-" + tag, qos, version)
    equal((made["rid"], made["code"]), ("b-" + tag, "ok"), "book")
    again = say("parking.book", body, "b-" + tag, qos, version)
    equal(again, made, "the same words again")
    rows = say("parking.list", '{"rid":"l-%s"}' % tag, "l-" + tag, qos, version)["items"]
    row = [row for row in rows if row["booking"] == made["id"]][0]
    equal((row["is"], row["state"], row["plate"]), ("booking", "booked", "浙FB5678"), "list")
    longer = say("parking.extend", '{"rid":"e-%s","expires":"%s","booking":%d,'
                 '"end":"2019-05-20T23:00+08:00"}' % (tag, life, made["id"]), "e-" + tag, qos,
                 version)
    equal(longer["code"], "ok", "extend")
    gone = say("parking.cancel", '{"rid":"c-%s","expires":"%s","booking":%d}'
               % (tag, life, made["id"]), "c-" + tag, qos, version)
    equal(gone["code"], "ok", "cancel")
    rows = say("parking.list", '{"rid":"m-%s"}' % tag, "m-" + tag, qos, version).get("items", [])
    check(made["id"] not in [row["booking"] for row in rows], "still listed")


@test
def a_booking_by_hand_at_qos_1():
    whole_booking(1, "311")


@test
def a_booking_by_hand_at_qos_0():
    whole_booking(0, "311")


@test
def a_booking_by_hand_with_mqtt_5():
    whole_booking(1, "5")
    whole_booking(0, "5")


@test
def nonsense_by_hand_is_answered():
    reply = say("parking.book", '{"rid":"x-1","expires":"%s","plate":"?"}' % real_time(60), "x-1",
                1, "311")
    equal(reply["code"], "invalid", "code")
    check(reply.get("at") or reply.get("detail"), "where: %r", reply)


@test
def public_state_is_there_for_who_comes_later():
    done = subprocess.run(["mosquitto_sub", "-C", "1", "-W", "10", "-t", "tide/1/home/pub/zone/A"]
                          + options("311"), text=True, stdout=subprocess.PIPE, timeout=20,
                          check=True)
    zone = json.loads(done.stdout)
    equal((zone["zone"], zone["slots"]), ("A", 24), "zone")


if __name__ == "__main__":
    sys.exit(run_tests())
