"""harness.py - a broker, a daemon and a small neighbourhood for one end-to-end test program.

    from harness import Tide, test, run_tests

    @test
    def a_quote_tells_places():
        reply = tide().client("res1").ask("parking.quote", zone="A", start=..., end=...)
        expect(reply, "ok")

    if __name__ == "__main__":
        sys.exit(run_tests())

Everything is private: a temporary folder, free ports on 127.0.0.1, a mosquitto with the files that
tided writes, tided itself. What was started is ended by its pid, also when a test dies. Every
message that a client sees is checked against the schemas of the protocol (schema_check.py).

    TIDE_BUILD    where the programs are (build)
    TIDE_ORDERLY  daemons are asked to end, for what is written at their end (coverage, memcheck)
    TIDE_WAIT_S   seconds for what must come (8); memcheck is slow
    TIDE_KEEP=1   leave the temporary folders
"""
import atexit
import base64
import datetime
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request
import uuid

import paho.mqtt.client as mqtt

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get("TIDE_BUILD", "build"))
ORDERLY = "TIDE_ORDERLY" in os.environ
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

try:
    import schema_check
except ImportError:
    schema_check = None

DOMAIN = "home"
UTC = datetime.timezone.utc
CST = datetime.timezone(datetime.timedelta(hours=8))
WAIT_S = float(os.environ.get("TIDE_WAIT_S", "8"))  # how long a test waits for what must come
START_S = 2 * WAIT_S  # and for a daemon that comes or goes
QUIET_S = 0.6  # how long it waits for what must not come

# ---- running tests ------------------------------------------------------------------------------

TESTS = []


class Skip(Exception):
    """This test cannot run here, and why."""


class Failed(AssertionError):
    """What was expected and what was seen."""


def test(function):
    """Marks a test; they run in the order in which they stand."""
    TESTS.append(function)
    return function


def run_tests():
    """Runs the marked tests (or those whose name contains an argument); returns an exit code."""
    words = sys.argv[1:]
    failed = 0
    for function in TESTS:
        name = function.__name__
        if words and not any(word in name for word in words):
            continue
        try:
            function()
            print("ok " + name, flush=True)
        except Skip as reason:
            print("skip %s: %s" % (name, reason), flush=True)
        except Exception as error:  # a test's failure is told, the next one runs
            failed += 1
            traceback.print_exc(file=sys.stdout)
            print("not ok %s: %s" % (name, str(error).replace("\n", " ")[:300]), flush=True)
            Tide.show_logs()
    faults = list(SCHEMA_FAULTS)
    if faults:
        failed += 1
        print("\n".join(faults[:20]))
        print("not ok messages_match_their_schemas: %d do not" % len(faults))
    elif schema_check is not None and MESSAGES_SEEN[0]:
        print("ok messages_match_their_schemas")
    close_all()
    return 1 if failed else 0


def shared(make):
    """A function that gives one Tide (or what make() makes) to all tests; a failure is kept too."""
    made = []

    def give():
        if not made:
            try:
                made.append((make(), None))
            except Exception as error:
                made.append((None, error))
                raise
        if made[0][1] is not None:
            raise Failed("no daemon to test: %s" % made[0][1])
        return made[0][0]

    return give


def check(condition, words, *args):
    """Fails the test with these words unless the condition holds."""
    if not condition:
        raise Failed(words % args if args else words)


def equal(seen, expected, what=""):
    check(seen == expected, "%s: expected %r, seen %r", what or "value", expected, seen)


def expect(reply, code, why=None):
    """A reply has this code (and why); returns the reply."""
    check(reply is not None, "expected %s, no reply came", code)
    seen = (reply.get("code"), reply.get("why"))
    good = seen[0] == code and (why is None or seen[1] == why)
    check(good, "expected %s %s, seen %s", code, why or "", json.dumps(reply, ensure_ascii=False))
    return reply


def has(text, *parts):
    """Each of these is in the text; returns the text."""
    for part in parts:
        check(part in text, "no %r in %r", part, text[-1500:])
    return text


def items(reply, kind):
    """The items of a reply that are of this kind."""
    return [item for item in reply.get("items", []) if item.get("is") == kind]


def wait_for(condition, what, seconds=WAIT_S, step=0.02):
    """Waits until condition() is true; returns what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < deadline, "%s: not within %.1f s", what, seconds)
        time.sleep(step)


# ---- times --------------------------------------------------------------------------------------


def real_time(seconds_ahead=0.0):
    """RFC 3339 of the real clock, with milliseconds, as `expires` wants it."""
    at = datetime.datetime.now(UTC) + datetime.timedelta(seconds=seconds_ahead)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (at.microsecond // 1000)


def civil(at):
    """A datetime as the civil time of the domain."""
    return at.astimezone(CST).strftime("%Y-%m-%dT%H:%M+08:00")


def parse_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def round_up(at, minutes=5):
    """The next full grain at or after this time."""
    late = datetime.timedelta(minutes=at.minute % minutes, seconds=at.second,
                              microseconds=at.microsecond)
    return at if not late else at - late + datetime.timedelta(minutes=minutes)


# ---- processes ----------------------------------------------------------------------------------

STARTED = []  # Popen of everything that still may run
FOLDERS = []
MOUNTS = []
SCHEMA_FAULTS = []
MESSAGES_SEEN = [0]


def start(argv, **options):
    process = subprocess.Popen(argv, **options)
    STARTED.append(process)
    return process


def stop(process, how=signal.SIGTERM, seconds=10):
    """Ends a process by its pid; returns its exit code."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            if how == signal.SIGTERM:
                raise Failed("pid %d did not end on SIGTERM within %d s" % (process.pid, seconds))
    if process in STARTED:
        STARTED.remove(process)
    return process.returncode


def close_all():
    """Ends and removes whatever the tests left; safe to call again."""
    for tide in list(Tide.LIVE):
        tide.close()
    for process in list(STARTED):
        try:
            process.kill()
            process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            pass
    STARTED.clear()
    for mount in MOUNTS:
        subprocess.call(["umount", "-l", mount], stderr=subprocess.DEVNULL)
    MOUNTS.clear()
    for folder in FOLDERS:
        if os.environ.get("TIDE_KEEP"):
            print("kept " + folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    FOLDERS.clear()


atexit.register(close_all)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

PORTS_GIVEN = set()


def free_port():
    """A port on 127.0.0.1 that nobody listens on and that this process has not given out."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in PORTS_GIVEN:
            PORTS_GIVEN.add(port)
            return port


def password_hash(secret):
    """A `$7$` credential as the client makes it: PBKDF2-HMAC-SHA512, 101 rounds."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, 101)
    return "$7$101$%s$%s" % (base64.b64encode(salt).decode(), base64.b64encode(digest).decode())


# ---- the broker ---------------------------------------------------------------------------------


def shipped_limits():
    """What deploy/mosquitto/people.conf says of queues and sizes; this harness has few limits."""
    path = os.path.join(ROOT, "deploy", "mosquitto", "people.conf")
    with open(path, encoding="utf-8") as conf:
        lines = [line.strip() for line in conf]
    limits = [line for line in lines if line.startswith(("max_inflight", "max_queued",
                                                         "max_packet", "memory_limit"))]
    check(len(limits) == 6, "limits of people.conf: %r", limits)
    return limits


class Broker:
    """A mosquitto of our own, with the users that tided wrote into its folder."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.more = []  # lines for the configuration
        self.pid_file = os.path.join(folder, "mosquitto.pid")
        self.log = os.path.join(folder, "mosquitto.log")
        os.makedirs(folder, exist_ok=True)

    def configure(self):
        lines = ["listener %d 127.0.0.1" % self.port, "allow_anonymous false",
                 "per_listener_settings false", "persistence false",
                 "password_file " + os.path.join(self.folder, "password_file"),
                 "acl_file " + os.path.join(self.folder, "acl_file"),
                 "pid_file " + self.pid_file, "max_inflight_messages 0",
                 "max_inflight_bytes 8388608",
                 "max_queued_messages 0", "set_tcp_nodelay true", "max_packet_size 131072",
                 "use_username_as_clientid false"]
        if os.geteuid() == 0:
            lines.append("user root")
        lines += self.more
        path = os.path.join(self.folder, "mosquitto.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return path

    def start(self):
        path = self.configure()
        with open(self.log, "ab") as log:
            self.process = start(["mosquitto", "-c", path], stdout=log, stderr=log)
        wait_for(self.answers, "the broker listens")

    def answers(self):
        check(self.process.poll() is None, "mosquitto ended: see %s", self.log)
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            stop(self.process, how)
            self.process = None


# ---- a client -----------------------------------------------------------------------------------


class Client:
    """A stock MQTT client of one user: its own topics, and what it was told."""

    def __init__(self, tide, user, secret, version=5, client_id=None, topics=None, gateway=False):
        self.tide, self.user, self.gateway = tide, user, gateway
        self.messages, self.turn = [], threading.Condition()
        self.connected, self.refused, self.cut, self.granted = False, None, 0, {}
        self.boot, self.seq = int(time.time()) & 0x7fffffff, 0
        self.topics = self.own_topics() if topics is None else topics
        protocol = mqtt.MQTTv5 if version == 5 else mqtt.MQTTv311
        name = client_id or "%s-%s" % (user, uuid.uuid4().hex[:8])
        self.paho = mqtt.Client(client_id=name, protocol=protocol)
        self.paho.username_pw_set(user, secret)
        self.paho.on_connect = self.on_connect
        self.paho.on_disconnect = self.on_disconnect
        self.paho.on_subscribe = self.on_subscribe
        self.paho.on_message = self.on_message
        self.paho.reconnect_delay_set(1, 1)
        self.paho.max_inflight_messages_set(1000)
        self.awaited = 0

    def own_topics(self):
        if self.gateway:
            return ["tide/1/%s/gw/%s/down/#" % (DOMAIN, self.user), "tide/1/sys/+"]
        base = "tide/1/%s/u/%s/" % (DOMAIN, self.user)
        return [base + "res/#", base + "inbox", "tide/1/%s/pub/#" % DOMAIN, "tide/1/sys/+"]

    # on paho's thread
    def on_connect(self, paho, _userdata, _flags, code, _properties=None):
        value = getattr(code, "value", code)
        paho.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.turn:
            if value != 0:
                self.refused = value
                self.turn.notify_all()
                return
            self.awaited = 0
            for topic in self.topics:
                result, mid = paho.subscribe(topic, 1)
                if result == 0:
                    self.awaited += 1
            self.connected = not self.topics
            self.turn.notify_all()

    def on_subscribe(self, _paho, _userdata, _mid, _codes, _properties=None):
        with self.turn:
            self.awaited -= 1
            self.connected = self.connected or self.awaited <= 0
            self.turn.notify_all()

    def on_disconnect(self, _paho, _userdata, _code, _properties=None):
        with self.turn:
            self.connected = False
            self.cut += 1
            self.turn.notify_all()

    def on_message(self, _paho, _userdata, message):
        seen_message(message.topic, message.payload)
        try:
            body = json.loads(message.payload)
        except ValueError:
            body = None
        with self.turn:
            self.messages.append((message.topic, body, message.retain, message.payload))
            self.turn.notify_all()

    # for the test
    def connect(self, seconds=WAIT_S):
        self.paho.connect("127.0.0.1", self.tide.broker.port, keepalive=30)
        self.paho.loop_start()
        self.wait(lambda: self.connected or self.refused, "%s connects" % self.user, seconds)
        check(self.refused is None, "the broker refused %s (%s)", self.user, self.refused)
        return self

    def close(self):
        self.paho.disconnect()
        self.paho.loop_stop()

    def wait(self, condition, what, seconds=WAIT_S):
        """Waits for a condition over this client's state; returns what it gave."""
        deadline = time.monotonic() + seconds
        with self.turn:
            while True:
                value = condition()
                if value:
                    return value
                left = deadline - time.monotonic()
                check(left > 0, "%s: not within %.1f s", what, seconds)
                self.turn.wait(left)

    def find(self, topic_end, accept=lambda body: True, start_at=0):
        """The first message whose topic ends so and whose body is accepted."""
        for topic, body, _retain, _raw in self.messages[start_at:]:
            if topic.endswith(topic_end) and body is not None and accept(body):
                return body
        return None

    def wait_message(self, topic_end, accept=lambda body: True, seconds=WAIT_S, start_at=0):
        return self.wait(lambda: self.find(topic_end, accept, start_at),
                         "a message on …%s" % topic_end, seconds)

    def request_topic(self, op):
        return "tide/1/%s/u/%s/req/%s" % (DOMAIN, self.user, op)

    def send(self, op, members, rid=None, expires=None, qos=1):
        """Publishes a request; returns its rid."""
        rid = rid or uuid.uuid4().hex[:24]
        body = {"rid": rid, "expires": expires or real_time(5 if op == "gate.open" else 60)}
        body.update(members)
        self.send_raw(op, json.dumps(body, ensure_ascii=False).encode(), qos)
        return rid

    def send_raw(self, op, payload, qos=1):
        self.publish(self.request_topic(op), payload, qos)

    def publish(self, topic, payload, qos=1):
        """Publishes and waits until the broker has it; not being connected fails."""
        try:
            self.paho.publish(topic, payload, qos).wait_for_publish(WAIT_S)
        except (RuntimeError, ValueError) as error:
            raise Failed("%s cannot publish: %s" % (self.user, error)) from error

    def reply(self, rid, seconds=WAIT_S, start_at=0):
        return self.wait_message("/res/" + rid, seconds=seconds, start_at=start_at)

    def request(self, op, members, rid=None, expires=None, qos=1, seconds=WAIT_S):
        """One request, one reply."""
        with self.turn:
            start_at = len(self.messages)
        rid = self.send(op, members, rid, expires, qos)
        return self.reply(rid, seconds, start_at)

    def ask(self, op, **members):
        """request() with members as keywords; a trailing _ is dropped (`for_`, `from_`)."""
        return self.request(op, {name.rstrip("_"): value for name, value in members.items()})

    def fact(self, kind, members, qos=1, seq=None):
        """A gateway's fact, with boot and the next seq; returns the seq."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        body = {"boot": self.boot, "seq": seq}
        body.update(members)
        topic = "tide/1/%s/gw/%s/up/%s" % (DOMAIN, self.user, kind)
        payload = json.dumps(body, ensure_ascii=False).encode()
        self.publish(topic, payload, qos)
        return seq

    def hello(self):
        """Says where this boot stands; waits for the whole pass list."""
        self.fact("hello", {}, seq=self.seq)
        return self.wait_message("/down/list", lambda body: not body.get("delta"))


def seen_message(topic, payload):
    """Checks a message against the schemas of the protocol; collects what does not match."""
    MESSAGES_SEEN[0] += 1
    if schema_check is None:
        return
    try:
        faults = schema_check.check(topic, payload)
    except Exception as error:
        faults = ["%s: %s" % (type(error).__name__, error)]
    for fault in faults or []:
        SCHEMA_FAULTS.append("schema: %s: %s: %s" % (topic, fault, payload[:400]))


# ---- the daemon ---------------------------------------------------------------------------------


class Tide:
    """One daemon with its broker. scale and start make a civil day of one's own."""

    LIVE = []

    def __init__(self, scale=None, start_at=None, conf=None, data=None, init=True, up=True):
        self.folder = tempfile.mkdtemp(prefix="tide-e2e-")
        FOLDERS.append(self.folder)
        self.scale, self.start_at = scale, start_at
        self.data = data or os.path.join(self.folder, "data")
        os.makedirs(self.data, exist_ok=True)
        self.database = os.path.join(self.data, "tide.db")
        self.broker = Broker(os.path.join(self.folder, "broker"))
        self.http_port = free_port()
        self.log = os.path.join(self.folder, "tided.log")
        self.log_shown = 0
        self.secrets = {"admin": "secret-of-admin"}
        self.gateways = set()
        self.clients, self.process, self.exit_code = {}, None, None
        self.conf = {
            "node": "n1", "database": self.database, "domains": DOMAIN,
            "broker_uri": "tcp://127.0.0.1:%d" % self.broker.port,
            "broker_folder": self.broker.folder, "broker_pid_file": self.broker.pid_file,
            "http_port": self.http_port, "log_level": "info", "user_rate_per_s": 5000,
            "user_burst": 20000, "slots_max": 256, "households_max": 256, "bookings_max": 4096,
        }
        self.conf.update(conf or {})
        self.conf_file = os.path.join(self.folder, "tided.conf")
        self.write_conf()
        Tide.LIVE.append(self)
        if init:
            self.init()
        if init and up:
            self.broker.start()
            self.start()

    def write_conf(self):
        with open(self.conf_file, "w", encoding="utf-8") as file:
            file.write("# made by harness.py\n")
            for key, value in self.conf.items():
                file.write("%s = %s\n" % (key, value))

    def argv(self, *more):
        argv = [os.path.join(BUILD, "tided"), "-c", self.conf_file]
        if self.scale is not None:
            argv += ["--time-scale", str(self.scale), "--start", self.start_at]
        return argv + list(more)

    def run(self, *more, seconds=60):
        """Runs tided to its end; returns (exit code, stdout, stderr)."""
        done = subprocess.run(self.argv(*more), text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=seconds, check=False)
        return done.returncode, done.stdout, done.stderr

    def init(self):
        code, out, err = self.run("--init", "--domain", DOMAIN, "--community", "lidu", "--admin",
                                  "admin", "--admin-hash", password_hash(self.secrets["admin"]))
        check(code == 0, "tided --init ended with %d: %s %s", code, out, err)

    def start(self, wait=True):
        with open(self.log, "ab") as log:
            self.process = start(self.argv(), stdout=log, stderr=log)
        if wait:
            wait_for(self.healthy, "tided is up", START_S)

    def healthy(self):
        if self.process.poll() is not None:
            raise Failed("tided ended with %d: %s" % (self.process.returncode, self.log_tail()))
        try:
            return self.http("/healthz")[0] == 200
        except OSError:
            return False

    def http(self, path):
        """(status, body) of a GET."""
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.http_port, path),
                                        timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name):
        """The value of a metric, labels left aside."""
        for line in self.http("/metrics")[1].splitlines():
            if line.startswith(name + " ") or line.startswith(name + "{"):
                return float(line.rsplit(" ", 1)[1])
        raise Failed("no metric " + name)

    def stop(self, how=signal.SIGTERM):
        """Ends tided; returns its exit code."""
        if self.process is not None:
            self.exit_code = stop(self.process, how, START_S)
            self.process = None
        return self.exit_code

    def close(self):
        for client in self.clients.values():
            client.close()
        self.clients.clear()
        for process in (self.process, self.broker.process):
            if process is not None and process.poll() is None:
                if ORDERLY:
                    stop(process, seconds=120)
                    continue
                process.kill()
                process.wait()
        if self in Tide.LIVE:
            Tide.LIVE.remove(self)

    def log_lines(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()

    def log_tail(self, lines=25):
        return "\n".join(self.log_lines()[-lines:]) if os.path.exists(self.log) else "(no log)"

    @staticmethod
    def show_logs():
        """Prints the end of each log since the last time."""
        for tide in Tide.LIVE:
            lines = tide.log_lines() if os.path.exists(tide.log) else []
            print("\n".join(["-- tided said:"] + lines[tide.log_shown:][-25:]), flush=True)
            tide.log_shown = len(lines)

    def new_client(self, user, **options):
        """A connected client of its own (the caller closes it, or the end does)."""
        options.setdefault("gateway", user in self.gateways)
        client = Client(self, user, options.pop("secret", self.secrets.get(user, "")), **options)
        client.connect()
        self.clients["%s#%d" % (user, len(self.clients))] = client
        return client

    def client(self, user):
        """The user's client, connected at first use."""
        if user not in self.clients:
            client = Client(self, user, self.secrets[user], gateway=user in self.gateways)
            client.connect()
            self.clients[user] = client
        return self.clients[user]

    def now(self):
        """The civil time of the domain, from the daemon."""
        reply = expect(self.client("admin").ask("status.read"), "ok")
        return parse_time(items(reply, "status")[0]["now"])

    def put(self, rows):
        """admin.put in portions; all must be taken."""
        for first in range(0, len(rows), 60):
            expect(self.client("admin").ask("admin.put", rows=rows[first:first + 60]), "ok")

    def verify(self):
        """tided --verify over the database; (exit code, words)."""
        code, out, err = self.run("--verify", self.database, seconds=120)
        return code, out + err

    def rows(self, sql, *args):
        """Reads the database as README.md tells: read-only, without a checkpoint."""
        link = sqlite3.connect("file:%s?mode=ro" % self.database, uri=True, timeout=5)
        try:
            link.execute("PRAGMA query_only=1")
            return link.execute(sql, args).fetchall()
        finally:
            link.close()

    def events(self):
        """How many events other than deadline ticks (100) the journal holds."""
        return self.rows("SELECT count(*) FROM journal WHERE hex(substr(event,1,1)) <> '64'")[0][0]

    def import_neighbourhood(self):
        """Puts NEIGHBOURHOOD in; waits until its users can connect."""
        rows = neighbourhood()
        for user, kind, person in USERS:
            self.secrets[user] = "secret-of-" + user
            if kind == "gateway":
                self.gateways.add(user)
            rows.append({"is": "user", "user": user, "person": person, "kind": kind,
                         "credential": password_hash(self.secrets[user])})
        rows += LANES
        self.put(rows)
        self.wait_login(USERS[-1][0])
        return self

    def tidectl(self, user, *words, code=0, lang="C.UTF-8"):
        """What `tidectl words` prints, as this user; it must end with this code."""
        secret, conf = (os.path.join(self.folder, user + end) for end in (".secret", ".conf"))
        for name, text in ((secret, self.secrets[user] + "\n"),
                           (conf, "uri = tcp://127.0.0.1:%d\ndomain = %s\nuser = %s\n"
                            "secret_file = %s\n" % (self.broker.port, DOMAIN, user, secret))):
            with open(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600), "w",
                      encoding="ascii") as file:
                file.write(text)
        env = {"PATH": os.environ["PATH"], "HOME": self.folder, "LANG": lang, "TIDECTL_CONF": conf}
        done = subprocess.run([os.path.join(BUILD, "tidectl")] + [str(word) for word in words],
                              env=env, text=True,
                              timeout=60, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        equal(done.returncode, code, "tidectl %s: %s" % (" ".join(map(str, words)), done.stdout))
        return done.stdout

    def wait_login(self, user):
        """Waits until the broker knows a user."""

        def can():
            client = Client(self, user, self.secrets[user], topics=[])
            try:
                client.connect(2)
                return True
            except Failed:
                return False
            finally:
                client.close()

        wait_for(can, "the broker knows %s" % user, 10, 0.1)


# ---- the neighbourhood --------------------------------------------------------------------------
# Households 3-2-501 (owner of A-001, with a car), 3-2-502 (a car, no slot), 3-2-503 (no account).
# Zone A: 24 slots with gate cameras, A-001 owned, the rest common and open all day every day.
# Zone B: 3 slots with sensors, open 08:30-17:30 on workdays. Zone H: 2 slots, the guard's hand.

USERS = [
    ("owner1", "app", "3-2-501/1"), ("res1", "app", "3-2-502/1"), ("clerk1", "console", "desk/1"),
    ("guard1", "app", "guard/1"), ("property1", "app", "property/1"),
    ("committee1", "console", "committee/1"), ("gw1", "gateway", "gate/1"),
]
LANES = [
    {"is": "lane", "lane": "G1-in", "place": "yard", "dir": "in", "gateway": "gw1"},
    {"is": "lane", "lane": "G1-out", "place": "yard", "dir": "out", "gateway": "gw1"},
]
OWNER_PLATE, RES_PLATE, OTHER_PLATE = "浙FA1234", "浙FB5678", "沪A9K001"
STRANGER_PLATE = "苏E12345"
ALL_DAYS = ["workday", "restday", "holiday"]
SLOTS_A, SLOTS_B, SLOTS_H = 24, 3, 2


def neighbourhood():
    rows = [
        {"is": "place", "place": "yard", "kind": "compound", "parent": "lidu"},
        {"is": "place", "place": "office", "kind": "organisation", "parent": "lidu"},
        {"is": "place", "place": "3", "kind": "building", "parent": "yard"},
        {"is": "place", "place": "3-2", "kind": "stair", "parent": "3"},
    ]
    for number, full_name, phone in (("501", "陈明远", "13857312345"), ("502", "王芳菲", "13857354321"),
                                     ("503", "李建国", "13857399999")):
        home = "3-2-" + number
        rows += [
            {"is": "place", "place": home, "kind": "household", "parent": "3-2"},
            {"is": "person", "person": home + "/1", "household": home, "full_name": full_name,
             "phone": phone},
            {"is": "role", "person": home + "/1", "role": "resident", "place": home},
        ]
    for key, role in (("desk/1", "clerk"), ("guard/1", "guard"), ("property/1", "property"),
                      ("committee/1", "committee"), ("gate/1", "gateway")):
        rows += [{"is": "person", "person": key, "household": "office"},
                 {"is": "role", "person": key, "role": role, "place": "lidu"}]
    rows += [
        {"is": "vehicle", "plate": OWNER_PLATE, "household": "3-2-501", "kind": "resident"},
        {"is": "vehicle", "plate": RES_PLATE, "household": "3-2-502", "kind": "resident"},
        {"is": "zone", "zone": "A", "place": "yard", "sense": ["gate"], "outsiders": True,
         "resolution": 7, "title": "东区"},
        {"is": "zone", "zone": "B", "place": "yard", "sense": ["sensor"], "outsiders": True,
         "resolution": 7},
        {"is": "zone", "zone": "H", "place": "yard", "sense": ["hand"], "outsiders": True,
         "resolution": 7},
        {"is": "slot", "slot": "A-001", "zone": "A", "title": "owned", "owner": "3-2-501"},
    ]
    always = {"is": "window", "kind": "weekly", "days": ALL_DAYS, "opens": "00:00",
              "closes": "24:00"}
    for number in range(2, SLOTS_A + 1):
        slot = "A-%03d" % number
        rows.append({"is": "slot", "slot": slot, "zone": "A", "title": "common"})
        rows.append(dict(always, slot=slot))
    for number in range(1, SLOTS_B + 1):
        slot = "B-%03d" % number
        rows.append({"is": "slot", "slot": slot, "zone": "B", "title": "common", "sensed": True})
        rows.append({"is": "window", "slot": slot, "kind": "weekly", "days": ["workday"],
                     "opens": "08:30", "closes": "17:30"})
    for number in range(1, SLOTS_H + 1):
        slot = "H-%03d" % number
        rows.append({"is": "slot", "slot": slot, "zone": "H", "title": "common"})
        rows.append(dict(always, slot=slot))
    return rows
