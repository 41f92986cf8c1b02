#!/usr/bin/python3
"""tide-gateway between two real brokers: devices on one, on the other first a people's side of our
own (which answers, keeps silent, or dies as the test wants), then the real daemon.

    TIDE_BUILD   where tide-gateway and tided are (build)
"""
import base64
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import paho.mqtt.client as mqtt

import harness
from harness import (DOMAIN, RES_PLATE, STRANGER_PLATE, FOLDERS, Skip, Tide, check, equal, expect,
                     free_port, real_time, run_tests, seen_message, start, stop, test, wait_for)

PROGRAM = os.path.join(harness.BUILD, "tide-gateway")
TIDED = os.path.join(harness.BUILD, "tided")
SN_IN, SN_OUT = "265e1040-85e01fb7", "265e1040-85e01fb8"
EUI_BOSCH, EUI_NETVOX, EUI_EM400 = "0004a30b001c0530", "00137a1000004f2c", "24e124713b492210"
PLATE, OTHER = "浙FA1234", "沪B56789"
QUIET_S = 0.5


def folder():
    path = tempfile.mkdtemp(prefix="tide-gateway-")
    FOLDERS.append(path)
    return path


# ---- the stage ---------------------------------------------------------------------------------


class Mosquitto:
    """A broker for anybody, as field brokers are."""

    def __init__(self, place, name):
        self.port, self.process = free_port(), None
        self.conf = os.path.join(place, name + ".conf")
        self.log = os.path.join(place, name + ".log")
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write("listener %d 127.0.0.1\nallow_anonymous true\npersistence false\n"
                       "set_tcp_nodelay true\nmax_inflight_messages 0\n" % self.port)
            if os.geteuid() == 0:
                file.write("user root\n")
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = start(["mosquitto", "-c", self.conf], stdout=log, stderr=log)

        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_for(answers, "a broker listens")

    def stop(self, how=signal.SIGKILL):
        stop(self.process, how)


class Side:
    """A stock client of one broker: what it heard, in order, with the time at which it came."""

    def __init__(self, port, *topics):
        self.heard, self.turn, self.ready = [], threading.Condition(), False
        self.paho = mqtt.Client(protocol=mqtt.MQTTv311)
        self.topics = topics
        self.paho.on_connect = self.on_connect
        self.paho.on_subscribe = self.on_subscribe
        self.paho.on_message = self.on_message
        self.paho.reconnect_delay_set(1, 1)
        self.paho.connect("127.0.0.1", port)
        self.paho.loop_start()
        wait_for(lambda: self.ready, "a client is subscribed")

    def on_connect(self, paho, *_):
        paho.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        paho.subscribe([(topic, 1) for topic in self.topics])

    def on_subscribe(self, *_):
        self.ready = True

    def on_message(self, _paho, _data, message):
        try:
            body = json.loads(message.payload)
        except ValueError:
            body = None
        with self.turn:
            self.heard.append((message.topic, body, time.monotonic()))
            self.turn.notify_all()
        self.react(message.topic, body, message.payload)

    def react(self, topic, body, payload):
        """What a subclass does about it, on paho's thread."""

    def say(self, topic, body, qos=1, retain=False):
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self.paho.publish(topic, raw, qos, retain)

    def find(self, end, accept=lambda body: True, first=0):
        with self.turn:
            return [entry for entry in self.heard[first:]
                    if entry[0].endswith(end) and accept(entry[1])]

    def wait(self, end, accept=lambda body: True, first=0, seconds=harness.WAIT_S):
        """The first message whose topic ends so and whose body is accepted."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.find(end, accept, first)
            if found:
                return found[0][1]
            left = deadline - time.monotonic()
            check(left > 0, "no %s within %.1f s; heard %s", end, seconds,
                  [(topic, body) for topic, body, _ in self.heard[-8:]])
            with self.turn:
                self.turn.wait(min(left, 0.05))

    def mark(self):
        with self.turn:
            return len(self.heard)

    def close(self):
        self.paho.disconnect()
        self.paho.loop_stop()


class People(Side):
    """The people's side. It takes facts as the daemon does (only the next one, acknowledged), and
    answers questions when it is told to."""

    def __init__(self, port, name="gw1"):
        self.base = "tide/1/%s/gw/%s/" % (DOMAIN, name)
        self.facts, self.cursor, self.hellos = [], (0, 0), 0
        self.acks, self.answers, self.command, self.ver = True, None, 100, 0
        self.passes = []
        super().__init__(port, self.base + "up/#")

    def react(self, topic, body, payload):
        seen_message(topic, payload)
        kind = topic.rsplit("/", 1)[1]
        number = (body["boot"], body["seq"])
        if kind == "hello":
            self.hellos += 1
            self.cursor = max(self.cursor, number)
            self.list()
        else:
            follows = (self.cursor[0], self.cursor[1] + 1)
            if number == follows or (number[0] > self.cursor[0] and number[1] == 1):
                self.cursor = number
                self.facts.append((kind, body))
                if kind == "plate" and self.answers:
                    self.decide(body)
        if self.acks:
            self.say(self.base + "down/ack",
                     {"boot": self.cursor[0], "seq": self.cursor[1], "incarnation": 1})

    def decide(self, question):
        if question.get("replay"):
            return
        self.order(self.answers, question["lane"], question["plate"], question["ask"])

    def order(self, kind, lane, plate, ask=0, valid_s=5.0, command=None):
        """Sends a command; returns its number."""
        if command is None:
            self.command += 1
            command = self.command
        body = {"command": command, "kind": kind, "lane": lane, "plate": plate,
                "why": "booking" if kind == "open" else "unknown_plate",
                "valid_until": real_time(valid_s)}
        if ask:
            body["ask"] = ask
        self.say(self.base + "down/command", body)
        return command

    def list(self):
        self.ver += 1
        halves = self.passes[::2], self.passes[1::2]
        for page in (1, 0):
            self.say(self.base + "down/list", {"ver": self.ver, "page": page, "pages": 2,
                                               "delta": False, "passes": halves[page]})

    def change(self, *passes):
        self.ver += 1
        self.say(self.base + "down/list", {"ver": self.ver, "page": 0, "pages": 1, "delta": True,
                                           "passes": list(passes)})

    def fact(self, kind, accept=lambda body: True, first=0, seconds=harness.WAIT_S):
        def look():
            return [body for name, body in self.facts[first:] if name == kind and accept(body)]

        return wait_for(look, "a fact " + kind, seconds, 0.005)[0]


class Devices(Side):
    """Sensors and cameras. Each camera keeps a list of plates and answers what it is told."""

    def __init__(self, port):
        self.lists = {SN_IN: {"京C00001": "theirs"}, SN_OUT: {}}
        self.dumb, self.sn_first, self.plate_id = False, set(), 0
        super().__init__(port, "device/+/message/down/+", "+/device/message/down/+")

    def topic(self, sn, rest):
        return ("%s/device/message/%s" if sn in self.sn_first else "device/%s/message/%s") % (
            sn, rest)

    def react(self, topic, body, payload):
        words = topic.split("/")
        sn, name = (words[0] if words[1] == "device" else words[1]), words[-1]
        code = 200
        if name == "white_list_operator":
            code = self.keep(self.lists[sn], body["payload"]["body"])
        if not self.dumb:
            self.say(topic + "/reply", {"id": body["id"], "sn": sn, "name": name, "code": code,
                                        "version": "1.0", "timestamp": 7, "payload": {}})

    @staticmethod
    def keep(rows, order):
        verb = order["operator_type"]
        plate = order["plate"] if verb == "delete" else order["dldb_rec"][0]["plate"]
        if (verb == "add") == (plate in rows):
            return 409
        if verb == "delete":
            del rows[plate]
        else:
            rows[plate] = order["dldb_rec"][0]
        return 200

    def pulses(self, sn=SN_IN, first=0):
        return [entry for entry in self.find("/gpio_out", first=first) if sn in entry[0]]

    def plate(self, sn, plate, offline=False, picture=0, plate_id=None, now=None):
        if plate_id is None:
            self.plate_id += 1
            plate_id = self.plate_id
        now = now or time.time()
        license_ = base64.b64encode(plate.encode()).decode()
        self.say(self.topic(sn, "up/ivs_result"), {
            "id": "x%d" % plate_id, "sn": sn, "name": "ivs_result", "version": "1.0",
            "timestamp": int(now), "payload": {"AlarmInfoPlate": {
                "serialno": sn, "result": {"PlateResult": {
                    "full_image_content": "A" * picture, "license": license_, "confidence": 97,
                    "isoffline": 1 if offline else 0, "plateid": plate_id, "triggerType": 8,
                    "timeStamp": {"Timeval": {"sec": int(now), "usec": 5}}}}}}})

    def alive(self, sn):
        self.say(self.topic(sn, "up/keep_alive"), {"sn": sn, "name": "keep_alive", "payload": {}})

    def uplink(self, eui, port, payload, key=None, count=[0]):
        count[0] += 1
        self.say("application/7/device/%s/event/up" % eui, {
            "deduplicationId": key or "d%d" % count[0], "time": "2026-05-20T10:00:00.5+00:00",
            "deviceInfo": {"devEui": eui}, "fCnt": count[0], "fPort": port,
            "data": base64.b64encode(bytes(payload)).decode()})


class Gateway:
    """The program, its file and its folder."""

    def __init__(self, people_port, field_port, place=None, secret=None, more=""):
        self.place = place or folder()
        self.conf = os.path.join(self.place, "gateway.conf")
        self.state = os.path.join(self.place, "state")
        self.log = os.path.join(self.place, "gateway.log")
        self.process = None
        secret_file = os.path.join(self.place, "secret")
        with open(secret_file, "w", encoding="utf-8") as file:
            file.write((secret or "none") + "\n")
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write("[gateway] name=gw1 state_folder=%s log_level=debug\n"
                       "[people] uri=tcp://127.0.0.1:%d secret_file=%s\n"
                       "[field] uri=tcp://127.0.0.1:%d\n"
                       "[device %s] model=bosch_tps110 slot=B-001\n"
                       "[device %s] model=netvox_r719a slot=B-002\n"
                       "[device %s] model=milesight_em400 slot=B-003 distance_occupied_mm=900 "
                       "distance_free_mm=1400 debounce_count=2\n"
                       "[camera %s] lane=G1-in dir=in white_list_per_s=50\n"
                       "[camera %s] lane=G1-out dir=out gpio_io=1 white_list=no\n%s" % (
                           self.state, people_port, secret_file, field_port, EUI_BOSCH, EUI_NETVOX,
                           EUI_EM400, SN_IN, SN_OUT, more))

    def start(self, env=None):
        with open(self.log, "ab") as log:
            self.process = start([PROGRAM, "-c", self.conf], stdout=log, stderr=log,
                                 env=dict(os.environ, **(env or {})))
        return self

    def stop(self, how=signal.SIGTERM):
        return stop(self.process, how)

    def lines(self, what):
        with open(self.log, encoding="utf-8") as file:
            return [line for line in map(json.loads, file) if line["what"] == what]

    def up(self, count=1):
        """Waits until both lines are there for the count-th time."""
        wait_for(lambda: len([line for line in self.lines("field") if line["line"]]) >= count and
                 len([line for line in self.lines("daemon") if line["answers"]]) >= count,
                 "the gateway has both lines")
        return self

    def run(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=20, check=False)
        return done.returncode, done.stdout, done.stderr


class Scene:
    """Everything at once, with a people's side of our own."""

    def __init__(self, up=True):
        if not os.path.exists(PROGRAM):
            raise Skip("tide-gateway is not built")
        place = folder()
        self.people_broker = Mosquitto(place, "people")
        self.field_broker = Mosquitto(place, "field")
        self.people = People(self.people_broker.port)
        self.devices = Devices(self.field_broker.port)
        self.gateway = Gateway(self.people_broker.port, self.field_broker.port)
        if up:
            self.gateway.start().up()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None and os.path.exists(self.gateway.log):
            with open(self.gateway.log, encoding="utf-8") as file:
                print("-- end of the gateway's log\n" + "".join(file.readlines()[-25:]))
        if self.gateway.process is not None and self.gateway.process.poll() is None:
            self.gateway.process.kill()
            self.gateway.process.wait()
        self.people.close()
        self.devices.close()
        for broker in (self.people_broker, self.field_broker):
            if broker.process.poll() is None:
                broker.stop()


def holds(gateway, name, text):
    """Does a file of the state folder hold this text?"""
    path = os.path.join(gateway.state, name)
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:
        return text in file.read()


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


# ---- sensors -----------------------------------------------------------------------------------


@test
def sensors_become_facts():
    with Scene() as scene:
        people, devices = scene.people, scene.devices
        devices.uplink(EUI_BOSCH, 1, [1])
        seen = people.fact("slot", lambda body: body["slot"] == "B-001")
        equal((seen["state"], seen.get("heartbeat"), seen["at"]),
              ("occupied", None, "2026-05-20T18:00:00+08:00"))
        devices.uplink(EUI_BOSCH.upper(), 2, [1, 18])
        people.fact("slot", lambda body: body["slot"] == "B-001" and body.get("heartbeat"))
        devices.say("application/7/device/%s/event/status" % EUI_NETVOX, {"batteryLevel": 88.3})
        devices.uplink(EUI_NETVOX, 6, [1, 0x59, 1, 0x24, 0, 0, 0, 0, 0, 0, 0])
        seen = people.fact("slot", lambda body: body["slot"] == "B-002")
        equal((seen["state"], seen.get("battery_pct")), ("free", 88))
        for distance, state in ((2000, "free"), (300, "free"), (300, "occupied")):
            first = len(people.facts)
            devices.uplink(EUI_EM400, 85, [4, 0x82, distance & 255, distance >> 8])
            seen = people.fact("slot", first=first)
            equal((seen["slot"], seen["state"]), ("B-003", state))
        numbers = [body["seq"] for _, body in people.facts]
        equal(numbers, list(range(1, len(numbers) + 1)), "seq")


@test
def what_devices_should_not_send_changes_nothing():
    with Scene() as scene:
        people, devices = scene.people, scene.devices
        topic = "application/7/device/%s/event/up" % EUI_BOSCH
        camera = "device/%s/message/up/ivs_result" % SN_IN
        for payload in (b"", b"{", b"\xff\xfe", b"[" * 5000, b"null", b"7", b"{}",
                        b'{"fPort":1,"data":"%%%"}', b'{"fPort":1e99,"data":"AQ=="}',
                        b'{"a":"' + b"x" * (1100 * 1024) + b'"}'):
            devices.say(topic, payload)
            devices.say(camera, payload)
        devices.uplink("ffffffffffffffff", 1, [1])
        devices.plate("unknown-camera", PLATE)
        devices.say("application/7/device/%s/event/up" % ("a" * 300), {})
        devices.say("device/%s/message/down/gpio_out/reply" % SN_IN, {"id": "p-0-0", "code": 200})
        devices.say(topic, {"fPort": 1, "data": "AQ=="}, retain=True)
        seen = people.fact("slot")  # the live copy of a retained message is news; the stored is not
        equal((seen["slot"], len(people.facts)), ("B-001", 1))
        check(scene.gateway.process.poll() is None, "the gateway ended")
        check(scene.gateway.lines("device.no_json"), "nothing was logged of the broken texts")
        scene.gateway.stop()
        scene.gateway.start().up(2)
        time.sleep(QUIET_S)
        equal(len(people.facts), 1, "facts after a retained message was there at the start")


@test
def what_comes_twice_counts_once():
    with Scene() as scene:
        people, devices = scene.people, scene.devices
        people.answers, now = "open", time.time()
        for _ in range(3):
            devices.uplink(EUI_BOSCH, 1, [1], key="once")
            devices.plate(SN_IN, PLATE, plate_id=77, now=now)
            time.sleep(0.2)
        devices.uplink(EUI_BOSCH, 1, [0], key="twice")
        people.fact("slot", lambda body: body["state"] == "free")
        equal([kind for kind, _ in people.facts].count("slot"), 2, "slot facts")
        equal([kind for kind, _ in people.facts].count("plate"), 1, "questions")


# ---- the gate ----------------------------------------------------------------------------------


@test
def the_daemon_opens_the_arm():
    with Scene() as scene:
        people, devices = scene.people, scene.devices
        people.answers = "open"
        waits = []
        for car in range(60):
            first, began = devices.mark(), time.monotonic()
            devices.plate(SN_IN, "浙FA%04d" % car, picture=300000 if car == 7 else 0)
            devices.wait("/gpio_out", first=first)
            waits.append((devices.pulses(first=first)[0][2] - began) * 1000)
            people.fact("done", lambda body: body["command"] == people.command)
        pulse = devices.pulses()[0][1]["payload"]
        equal(pulse, {"type": "gpio_out", "body": {"io": 0, "value": 2, "delay": 500}})
        equal(len(devices.pulses()), 60, "pulses")
        done = [body for kind, body in people.facts if kind == "done"]
        equal({body["state"] for body in done}, {"done"})
        equal([kind for kind, _ in people.facts].count("gate"), 0, "own decisions")
        print("plate to pulse: p50 %.1f ms, p99 %.1f ms" % (percentile(waits, 0.5),
                                                            percentile(waits, 0.99)))
        check(percentile(waits, 0.5) < 40, "p50 %.1f ms: does Nagle wait?", percentile(waits, 0.5))
        check(scene.gateway.lines("field")[0]["nodelay"] >= 1, "TCP_NODELAY is not set")


@test
def a_camera_of_the_other_topic_form():
    with Scene() as scene:
        people, devices = scene.people, scene.devices
        people.answers = "open"
        devices.sn_first.add(SN_OUT)
        devices.plate(SN_OUT, PLATE)
        devices.wait("/gpio_out")
        topic, body, _ = devices.pulses(SN_OUT)[0]
        equal(topic, SN_OUT + "/device/message/down/gpio_out")
        equal(body["payload"]["body"]["io"], 1)
        people.fact("done", lambda body: body["state"] == "done")
        equal(people.fact("plate")["dir"], "out")


@test
def the_daemon_denies():
    with Scene() as scene:
        scene.people.answers = "deny"
        scene.people.passes = [{"plate": PLATE}]
        scene.people.list()
        scene.devices.plate(SN_IN, PLATE)
        scene.people.fact("done", lambda body: body["state"] == "done")
        time.sleep(QUIET_S)
        equal(scene.devices.pulses(), [])


@test
def nobody_answers_and_the_own_list_decides():
    with Scene() as scene:
        people, devices = scene.people, scene.devices
        people.passes = [{"plate": PLATE}, {"plate": "粤S7Y12C", "until": real_time(3600)},
                         {"plate": OTHER, "until": real_time(-60)}]
        people.list()
        wait_for(lambda: scene.gateway.lines("list"), "the list is there")
        time.sleep(0.1)
        for plate, decision in ((PLATE, "open"), (OTHER, "deny"), ("粤S7Y12C", "open"),
                                ("_无_", "deny")):
            first, began, pulsed = len(people.facts), time.monotonic(), len(devices.pulses())
            devices.plate(SN_IN, plate)
            report = people.fact("gate", first=first)
            wait_ms = (time.monotonic() - began) * 1000
            question = people.fact("plate", first=first)
            equal((report["decision"], report["lane"], report["ask"]),
                  (decision, "G1-in", question["ask"]))
            equal(report["plate"], "" if plate == "_无_" else plate)
            check(140 < wait_ms < 1000, "decided after %.0f ms", wait_ms)
            equal(len(devices.pulses()) - pulsed, 1 if decision == "open" else 0, "pulses")
            number = people.order("open", "G1-in", plate, question["ask"])
            late = people.fact("done", lambda body, number=number: body["command"] == number)
            equal(late["state"], "failed")
        equal(len(devices.pulses()), 2, "pulses after late commands")
        first = len(people.facts)
        devices.plate(SN_OUT, OTHER)  # who leaves is never held
        equal(people.fact("gate", first=first)["decision"], "open")


@test
def commands_are_done_once_and_never_late():
    with Scene() as scene:
        people, devices = scene.people, scene.devices
        number = people.order("open", "G1-in", "")
        people.fact("done", lambda body: body["command"] == number)
        first = len(people.facts)
        people.order("open", "G1-in", "", command=number)
        equal(people.fact("done", first=first)["state"], "done")
        old = people.order("open", "G1-in", "", valid_s=-0.001)
        equal(people.fact("done", lambda body: body["command"] == old)["state"], "failed")
        lost = people.order("open", "G9", "")
        equal(people.fact("done", lambda body: body["command"] == lost)["state"], "failed")
        scene.gateway.stop(signal.SIGKILL)
        scene.gateway.start().up(2)
        first = len(people.facts)
        people.order("open", "G1-in", "", command=number)
        equal(people.fact("done", first=first)["state"], "done")
        equal(len(devices.pulses()), 1, "pulses")
        devices.dumb = True
        silent = people.order("open", "G1-in", "")
        equal(people.fact("done", lambda body: body["command"] == silent)["state"], "failed")


@test
def history_opens_nothing():
    with Scene() as scene:
        people, devices = scene.people, scene.devices
        people.answers = "open"
        people.passes = [{"plate": PLATE}]
        people.list()
        devices.plate(SN_IN, PLATE, offline=True)
        seen = people.fact("plate")
        equal((seen["replay"], "ask" in seen), (True, False))
        scene.people_broker.stop()
        devices.plate(SN_IN, PLATE, offline=True)
        time.sleep(QUIET_S)
        equal(devices.pulses(), [])


# ---- crashes and absences ----------------------------------------------------------------------


@test
def facts_outlive_the_gateway_and_the_line():
    with Scene() as scene:
        people, devices, gateway = scene.people, scene.devices, scene.gateway
        devices.uplink(EUI_BOSCH, 1, [1])
        boot = people.fact("slot")["boot"]
        people.acks = False
        devices.uplink(EUI_BOSCH, 1, [0])
        people.fact("slot", lambda body: body["seq"] == 2)
        scene.people_broker.stop()
        wait_for(lambda: [line for line in gateway.lines("daemon") if not line["line"]],
                 "the gateway sees that the line is gone")
        for state in (1, 0, 1):
            devices.uplink(EUI_BOSCH, 1, [state])
        devices.plate(SN_IN, OTHER)
        wait_for(lambda: gateway.lines("gate.denied_here"), "a decision without a line")
        gateway.stop(signal.SIGKILL)
        gateway.start()
        wait_for(lambda: len([line for line in gateway.lines("field") if line["line"]]) == 2,
                 "the field is there again")
        devices.uplink(EUI_BOSCH, 1, [0])
        time.sleep(0.2)
        people.acks = True
        scene.people_broker.start()
        last = people.fact("slot", lambda body: body["boot"] > boot, seconds=20)
        equal(last["seq"], 1)
        facts = [(kind, body["boot"] - boot, body["seq"]) for kind, body in people.facts]
        equal(facts, [("slot", 0, 1), ("slot", 0, 2), ("slot", 0, 3), ("slot", 0, 4),
                      ("slot", 0, 5), ("plate", 0, 6), ("gate", 0, 7),
                      ("slot", last["boot"] - boot, 1)])
        states = [body["state"] for kind, body in people.facts if kind == "slot"]
        equal(states, ["occupied", "free", "occupied", "free", "occupied", "free"])
        equal([body.get("replay") for kind, body in people.facts if kind == "plate"], [True])
        time.sleep(0.3)  # for the last acknowledgement
        gateway.stop()
        gateway.start()
        wait_for(lambda: len(gateway.lines("spool")) == 3, "a third start")
        equal(gateway.lines("spool")[-1]["facts"], 0, "facts in the spool")


@test
def the_list_outlives_a_night_without_power_and_line():
    with Scene() as scene:
        people, devices, gateway = scene.people, scene.devices, scene.gateway
        people.passes = [{"plate": PLATE}]
        people.list()
        wait_for(lambda: gateway.lines("list"), "the list is there")
        people.change({"plate": OTHER}, {"plate": PLATE, "from": real_time(0),
                                         "until": real_time(-60)})
        wait_for(lambda: holds(gateway, "passes", OTHER), "the list is on disk")
        scene.people_broker.stop()
        gateway.stop(signal.SIGKILL)
        gateway.start()
        wait_for(lambda: len([line for line in gateway.lines("field") if line["line"]]) == 2,
                 "the field is there again")
        devices.plate(SN_IN, PLATE)
        devices.plate(SN_IN, OTHER)
        wait_for(devices.pulses, "a pulse")
        time.sleep(QUIET_S)
        equal(len(devices.pulses()), 1, "pulses")
        equal(len(gateway.lines("gate.denied_here")), 1)


@test
def brokers_come_back():
    with Scene() as scene:
        people, devices, gateway = scene.people, scene.devices, scene.gateway
        people.answers = "open"
        scene.field_broker.stop()
        wait_for(lambda: [line for line in gateway.lines("field") if not line["line"]],
                 "the gateway sees that the field is gone")
        scene.field_broker.start()
        wait_for(lambda: len([line for line in gateway.lines("field") if line["line"]]) == 2,
                 "the field is there again")
        wait_for(lambda: devices.paho.is_connected(), "the devices are there again")
        time.sleep(0.3)
        devices.plate(SN_IN, PLATE)
        devices.wait("/gpio_out")
        scene.people_broker.stop()
        scene.people_broker.start()
        wait_for(lambda: people.hellos >= 2 and people.paho.is_connected(), "hello again", 20)
        time.sleep(0.3)
        first = len(people.facts)
        devices.uplink(EUI_BOSCH, 1, [1])
        people.fact("slot", first=first)


# ---- the camera's own list ---------------------------------------------------------------------


@test
def the_cameras_list_is_kept_but_not_others_rows():
    with Scene() as scene:
        people, devices, gateway = scene.people, scene.devices, scene.gateway
        rows = devices.lists[SN_IN]
        people.passes = [{"plate": PLATE}, {"plate": "京C00001"},
                         {"plate": OTHER, "from": "2019-05-20T08:00+08:00",
                          "until": real_time(7200)}]
        people.list()
        devices.alive(SN_IN)
        wait_for(lambda: PLATE in rows and OTHER in rows, "the rows are written")
        equal(rows["京C00001"], "theirs")
        equal(devices.lists[SN_OUT], {}, "the camera whose list we must not touch")
        equal((rows[OTHER]["enable_time"], rows[OTHER]["context"]),
              ("2019-05-20 08:00:00", "tide"))
        until = time.mktime(time.strptime(rows[OTHER]["overdue_time"], "%Y-%m-%d %H:%M:%S"))
        check(rows[PLATE]["overdue_time"] > rows[OTHER]["overdue_time"] and until > 0,
              "a right for good lapses in a week")
        people.change({"plate": PLATE, "from": real_time(0), "until": real_time(-60)})
        wait_for(lambda: PLATE not in rows, "the row is deleted")
        wait_for(lambda: not holds(gateway, "white-" + SN_IN, PLATE), "and forgotten")
        wait_for(lambda: holds(gateway, "white-" + SN_IN, " w\n"), "what is ours is on disk")
        gateway.stop(signal.SIGKILL)
        people.passes = []
        gateway.start().up(2)
        devices.alive(SN_IN)
        wait_for(lambda: OTHER not in rows, "it knows after a crash what is ours")
        time.sleep(QUIET_S)
        equal(rows, {"京C00001": "theirs"})


# ---- the program -------------------------------------------------------------------------------


@test
def it_tells_the_service_manager_and_ends_in_time():
    with Scene(up=False) as scene:
        path = os.path.join(scene.gateway.place, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(10)
            scene.gateway.start({"NOTIFY_SOCKET": path})
            told = manager.recv(4096).decode()
            check("READY=1" in told and "STATUS=" in told, "told %s", told)
            scene.gateway.up()
            while "WATCHDOG=1" not in manager.recv(4096).decode():
                continue
            began = time.monotonic()
            equal(scene.gateway.stop(), 0, "exit code")
            check(time.monotonic() - began < 5, "it took %.1f s to end", time.monotonic() - began)


@test
def options_and_exit_codes():
    if not os.path.exists(PROGRAM):
        raise Skip("tide-gateway is not built")
    gateway = Gateway(1, 2)
    equal(gateway.run("--version")[0], 0)
    check("--check-config" in gateway.run("--help")[1], "no help")
    equal(gateway.run("--nonsense")[0], 64)
    equal(gateway.run("-c", gateway.conf, "more")[0], 64)
    code, out, _ = gateway.run("-c", gateway.conf, "--check-config")
    equal((code, out), (0, gateway.conf + ": good: 3 devices, 2 cameras\n"))
    equal(gateway.run("-c", "/nonexistent")[0], 78)
    with open(gateway.conf, "a", encoding="utf-8") as file:
        file.write("colour = red\n")
    code, _, err = gateway.run("-c", gateway.conf, "--check-config")
    equal((code, err), (78, "tide-gateway: %s:9: [camera] has no key colour\n" % gateway.conf))
    equal(gateway.run("-c", gateway.conf)[0], 78)


@test
def two_gateways_do_not_share_a_folder():
    with Scene() as scene:
        equal(scene.gateway.run("-c", scene.gateway.conf)[0], 75)


@test
def the_log_is_json_without_plates():
    with Scene() as scene:
        scene.devices.plate(SN_IN, PLATE)
        scene.people.fact("gate")
        scene.devices.plate(SN_IN, "X1234567")
        scene.people.fact("gate", lambda body: body["plate"] == "")
        scene.gateway.stop()
        with open(scene.gateway.log, encoding="utf-8") as file:
            text = file.read()
        for secret in (PLATE, PLATE[3:], "1234567"):
            check(secret not in text, "the log holds %s", secret)
        check("浙F" in text, "the log does not tell the place of a plate")
        check(scene.gateway.lines("stop"), "no last line")


# ---- the real daemon ---------------------------------------------------------------------------


class Real:
    """The real daemon, a field broker, devices, the gateway."""

    def __init__(self):
        for program in (PROGRAM, TIDED):
            if not os.path.exists(program):
                raise Skip(os.path.basename(program) + " is not built")
        self.tide = Tide().import_neighbourhood()
        self.field_broker = Mosquitto(folder(), "field")
        self.devices = Devices(self.field_broker.port)
        self.gateway = Gateway(self.tide.broker.port, self.field_broker.port,
                               secret=self.tide.secrets["gw1"])
        self.gateway.start().up()

    def passages(self, plate):
        log = expect(self.tide.client("guard1").ask("gate.log", lane="G1-in"), "ok")
        return [item for item in harness.items(log, "passage") if item.get("plate") == plate]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            with open(self.gateway.log, encoding="utf-8") as file:
                print("-- end of the gateway's log\n" + "".join(file.readlines()[-25:]))
        self.gateway.process.kill()
        self.gateway.process.wait()
        self.devices.close()
        self.field_broker.stop()
        self.tide.close()


@test
def with_the_real_daemon():
    with Real() as real:
        devices, gateway, tide = real.devices, real.gateway, real.tide
        wait_for(lambda: gateway.lines("list"), "the list of plates came")
        waits = []
        for _ in range(30):
            first, began = devices.mark(), time.monotonic()
            devices.plate(SN_IN, RES_PLATE)
            devices.wait("/gpio_out", first=first)
            waits.append((devices.pulses(first=first)[0][2] - began) * 1000)
        print("plate to pulse through tided: p50 %.1f ms, p99 %.1f ms" % (
            percentile(waits, 0.5), percentile(waits, 0.99)))
        equal(len(gateway.lines("gate.opened")) + len(gateway.lines("gate.opened_here")), 30)
        own = [line["wait_ms"] for what in ("gate.opened", "gate.opened_here")
               for line in gateway.lines(what)]
        check(percentile(own, 0.5) < 150 and max(own) < 1000, "at the gateway: %s ms", own)
        devices.plate(SN_IN, STRANGER_PLATE)
        wait_for(lambda: gateway.lines("gate.denied") or gateway.lines("gate.denied_here"),
                 "the stranger is turned away")
        first = devices.mark()
        devices.plate(SN_IN, "_无_")
        wait_for(lambda: len(gateway.lines("gate.denied") + gateway.lines("gate.denied_here")) >= 2,
                 "a car without a plate is turned away")
        equal(devices.pulses(first=first), [])
        expect(tide.client("guard1").ask("gate.open", lane="G1-in"), "ok")
        wait_for(lambda: devices.pulses(first=first), "the guard's hand opens")
        devices.uplink(EUI_BOSCH, 1, [1])
        wait_for(lambda: tide.rows("SELECT count(*) FROM spot WHERE state IN (2, 'occupied')")[0]
                 == (1,), "the sensor's slot is taken")
        wait_for(lambda: RES_PLATE in devices.lists[SN_IN], "the camera has the resident's plate")
        check(not gateway.lines("fact.refused"), "the daemon refused a fact")


@test
def the_real_daemon_comes_back():
    with Real() as real:
        devices, gateway, tide = real.devices, real.gateway, real.tide
        wait_for(lambda: gateway.lines("list"), "the list of plates came")
        tide.stop(signal.SIGKILL)
        wait_for(lambda: [line for line in gateway.lines("daemon") if not line["answers"]],
                 "the gateway knows that the daemon is away")
        devices.plate(SN_IN, RES_PLATE)
        wait_for(devices.pulses, "the own list opens")
        devices.plate(SN_IN, STRANGER_PLATE)
        wait_for(lambda: gateway.lines("gate.denied_here"), "and turns the stranger away")
        gateway.stop(signal.SIGKILL)
        gateway.start()
        tide.start()
        wait_for(lambda: [row for row in real.passages(RES_PLATE) if row["why"] == "local_list"],
                 "what the list decided is in the daemon's book", 20)
        wait_for(lambda: [row for row in real.passages(STRANGER_PLATE)
                          if row["why"] == "local_list" and row["decision"] == "deny"],
                 "and whom it turned away", 20)
        gateway.up(2)
        first = devices.mark()
        devices.plate(SN_IN, RES_PLATE)
        devices.wait("/gpio_out", first=first)
        time.sleep(0.3)
        gateway.stop()
        gateway.start()
        wait_for(lambda: len(gateway.lines("spool")) == 3, "a third start")
        check(gateway.lines("spool")[-1]["facts"] <= 2, "%d facts were never acknowledged",
              gateway.lines("spool")[-1]["facts"])


if __name__ == "__main__":
    sys.exit(run_tests())
