"""The makers' own messages (TIDE_SHARED, default ../shared), spoilt one way at a time.

What must come of one is worked out here from the makers' tables, not with the gateway's decoders:
Bosch port 1, 2, 3: bit 0 set is a car; Netvox port 6: byte 4 is 1 for a car; Milesight EM400:
triples of channel, type, value. A counter, a time, a decoded `object` beside the bytes decide
nothing: the bytes do.
"""
import base64
import binascii
import copy
import glob
import json
import os
import re

SHARED = os.environ.get("TIDE_SHARED", os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                    "..", "..", "..", "shared"))
MODELS = {"bosch_tps110": "Bosch/Parking_Lot_Sensor", "netvox_r719a": "Netvox/R719A",
          "milesight_em400": "Milesight/EM400-UDL"}
CAMERA = "device/265e1040-85e01fb7/message/up/"


def load(path):
    """A published message; some have a comma too many."""
    with open(path, encoding="utf-8") as file:
        return json.loads(re.sub(r",(\s*[}\]])", r"\1", file.read()))


# ---- what the bytes of a sensor say --------------------------------------------------------------
def bosch(port, raw):
    least = {1: 1, 2: 1, 3: 17}.get(port)
    if least is None:
        return "pass"
    if len(raw) < least:
        return "malformed"
    kind = {1: "change", 2: "heartbeat", 3: "start"}[port]
    return "%s occupied=%d " % (kind, raw[16 if port == 3 else 0] & 1)


def netvox(port, raw):
    if port != 6:
        return "pass"
    if len(raw) < 5 or raw[1] != 0x59 or raw[4] > 1:
        return "malformed"
    return "pass" if raw[2] != 1 else "heartbeat occupied=%d " % raw[4]


EM400 = {(1, 0x75): 1, (3, 0x67): 2, (4, 0x82): 2, (5, 0): 1, (6, 0x88): 9, (0x83, 0x67): 3,
         (0x84, 0x82): 3}


def em400(_port, raw):
    at, distance, tilted, spoke = 0, -1, False, False
    while at < len(raw):
        size = EM400.get(tuple(raw[at:at + 2]))
        if size is None:
            if spoke:
                break
            return "pass" if len(raw) >= 2 else "malformed"
        value = raw[at + 2:at + 2 + size]
        if len(value) < size:
            return "malformed"
        if raw[at + 1] == 0x82:
            distance = value[0] | value[1] << 8
            distance = distance if 0 < distance <= 65000 else -1
        if (raw[at] == 1 and value[0] > 100) or (raw[at] == 5 and value[0] > 1):
            return "malformed"
        tilted |= raw[at] == 5 and value[0] == 1
        spoke, at = True, at + 2 + size
    if not spoke:
        return "malformed"
    return "%s occupied=-1 distance=%d " % ("tamper" if tilted else "heartbeat", distance)


SAYS = {"bosch_tps110": bosch, "netvox_r719a": netvox, "milesight_em400": em400}


def strict_base64(text):
    """The bytes, or None: the standard's alphabet with its padding, nothing else."""
    if not re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text):
        return None
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def sensor_says(model, body):
    data, port = body.get("data"), body.get("fPort")
    if data is None or data == "" or (isinstance(data, str) and len(data.encode()) > 1024):
        return "pass"  # longer ones are pictures: the gateway does not keep them
    if not isinstance(data, str) or isinstance(port, bool) or not isinstance(port, int) or \
            not 0 <= port <= 255:
        return "malformed"
    raw = strict_base64(data)
    return "malformed" if raw is None or len(raw) > 256 else SAYS[model](port, raw)


def begins(text):
    def verdict(seen):
        return seen.startswith(text) if text.endswith(" ") else seen == text
    verdict.__doc__ = text
    return verdict


def without(body, *names):
    return {name: value for name, value in body.items() if name not in names}


def sensor_mutants(body):
    """Messages that differ from a real one in one way."""
    data = body["data"]
    raw = base64.b64decode(data)
    for text in (data[:-1], data + "=", data + "A", "!" + data[1:], "=" + data, data[:2] + " " +
                 data[2:], data + "\n", data.rstrip("=") + "==", "-_8=", "潮=", "====", "A===",
                 data[:1], "\u0000"[:0], data * 200, "AA==AA=="):
        yield dict(body, data=text)
    for value in (0, 1, True, None, [data], {"bytes": data}, list(raw), 1.5):
        yield dict(body, data=value)
    for value in ("1", -1, 256, 1.5, None, True, [1], {}, 1 << 40, 1e300):
        yield dict(body, fPort=value)
    yield without(body, "fPort")
    yield without(body, "data")
    for cut in range(len(raw) + 1):
        yield dict(body, data=base64.b64encode(raw[:cut]).decode())
        yield dict(body, data=base64.b64encode(raw[:cut] + b"\xff" + raw[cut:]).decode())
    for at in range(len(raw)):
        for bit in range(8):
            other = raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1:]
            yield dict(body, data=base64.b64encode(other).decode())
    for port in (0, 1, 2, 3, 6, 7, 85, 255):
        yield dict(body, fPort=port)
    # polarity traps: what others decoded, beside the bytes
    for word in ("occupied", "free", "empty", "parked", "status", "car", "vacant"):
        for value in (True, False, 0, 1, "occupied", "free"):
            yield dict(body, object={word: value, "decoded": {word: value}})
    # counters and times that run wrong
    for value in (0, 3, 1 << 31, (1 << 32) - 1, 1 << 32, -1, "4", None):
        yield dict(body, fCnt=value)
    for value in ("1970-01-01T00:00:00Z", "2099-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00",
                  "2019-02-30T00:00:00Z", "yesterday", 0, None, "2023-05-22T07:47:05", "x" * 900):
        yield dict(body, time=value)


def sensor_cases():
    for model, folder in MODELS.items():
        pattern = os.path.join(SHARED, "data/sensors/lorawan", folder, "ChirpStack/uplink/payload*")
        for path in sorted(glob.glob(pattern)):
            body = load(path)
            if not isinstance(body.get("data"), str):
                continue
            name = model + " up"
            for mutant in [body] + list(sensor_mutants(body)):
                raw = json.dumps(mutant, ensure_ascii=False).encode()
                yield "S", name, raw, begins(sensor_says(model, mutant))
            for raw in spoilt_json(json.dumps(body, ensure_ascii=False).encode()):
                yield "S", name, raw, begins("nojson")


def spoilt_json(good):
    yield b""
    yield b"\xef\xbb\xbf" + good
    yield good + b"}"
    yield good + good
    yield good + b"\0"
    yield good.replace(b'"', b"'")
    yield good[:-1] + b',"x":"\xed\xa0\x80"}'
    yield good[:-1] + b',"x":"\\ud83d"}'
    yield good[:-1] + b',"x":"\\udc00\\ud83d"}'
    yield good[:-1] + b',"x":"\\u0000"}'
    yield good[:-1] + b',"x":"\xc0\xaf"}'
    yield good[:-1] + b',"x":"\xff"}'
    yield good[:-1] + b',"x":NaN}'
    yield good[:-1] + b',"x":Infinity}'
    yield good[:-1] + b',"x":1e}'
    yield good[:-1] + b',"x":01}'
    yield good[:-1] + b',"x":0x10}'
    yield good[:-1] + b',"x":' + b"9" * 400 + b"}"
    yield good[:-1] + b',"x":' + b"[" * 40 + b"]" * 40 + b"}"
    yield good[:-1] + b',"x":' + b"[" * (1 << 20)
    yield good[:-1] + b',"x":"' + b"A" * (1 << 20) + b'"}'
    yield good[:-1] + b',"x":[' + b",".join([b"0"] * 9000) + b"]}"
    yield good[:-1] + b",}"
    for cut in range(1, len(good), max(1, len(good) // 20)):
        yield good[:cut]


# ---- the camera ----------------------------------------------------------------------------------
def at_path(body, path, value):
    """A copy with another value at a path of names; None takes the member out."""
    other = copy.deepcopy(body)
    here = other
    names = path.split(".")
    for name in names[:-1]:
        here = here[name]
    if value is None:
        here.pop(names[-1], None)
    else:
        here[names[-1]] = value
    return other


RESULT = "payload.AlarmInfoPlate.result.PlateResult"


def plate_cases(body):
    """License texts and what plate they are ("-": a car that could not be read)."""
    def coded(text):
        return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()

    license_of = RESULT + ".license"
    for text, plate in (("浙FA1234", "浙FA1234"), ("浙f·a1234", "浙FA1234"), ("_无_", "-"),
                        ("", "-"), ("HELLO", "-"), (b"\xff\xfe", "-"), (b"\xe6\xb5", "-"),
                        (b"\xc0\xaf", "-"), (b"\xd5\xe3F12345", "-"), ("浙F1234", "-"),
                        ("\u202e浙FA1234", "-"), ("浙FA1234\n", "-"), ("浙FA12345678901", "-")):
        value = coded(text)
        yield at_path(body, license_of, value), "plate ", plate
    for value in ("浙FA1234", "6LWjR1o3UzE", "6LWjR1o3UzEz=", "!!!!", coded("a\0b"), coded("x" * 40),
                  coded("浙FA1234")[:-1], 0, True, [], {}, ["6LWjR1o3UzEz"], "A" * 70):
        yield at_path(body, license_of, value), "malformed", None
    yield at_path(body, license_of, None), "malformed", None
    for value in ([], "x", 1, None):
        yield at_path(body, RESULT, value), "malformed", None
    sound = "赣GZ7S13"
    for path, values in ((".confidence", (-1, 101, "100", 1.5, True, [])),
                         (".triggerType", (-1, 5000, "4")), (".plateid", (-1, 1 << 33, "x", 1.5)),
                         (".timeStamp", (0, "now", [], {}, {"Timeval": 5})),
                         (".timeStamp.Timeval.sec", (-1, 1 << 60, "1628670619", 1e300)),
                         (".timeStamp.Timeval.usec", (-1, 1000000, "x")),
                         (".isoffline", (2, "1", [], 7))):
        for value in values:
            yield at_path(body, RESULT + path, value), "plate ", sound
    for path in ("sn", "timestamp", "id", "payload.AlarmInfoPlate.serialno"):
        for value in (None, 5, "x", "y" * 500, [], -1):
            yield at_path(body, path, value), "plate ", sound


def ends_with_plate(start, plate):
    def verdict(seen):
        return seen.startswith(start) and (plate is None or " plate=%s " % plate in seen)
    verdict.__doc__ = "%s… plate=%s" % (start, plate)
    return verdict


def camera_cases():
    path = os.path.join(SHARED, "data/sensors/plate-camera/vz_ivs_result.json")
    if not os.path.exists(path):
        return
    body = load(path)
    for mutant, start, plate in plate_cases(body):
        raw = json.dumps(mutant, ensure_ascii=False).encode()
        yield "C", CAMERA + "ivs_result", raw, ends_with_plate(start, plate)
    for raw in spoilt_json(json.dumps(body, ensure_ascii=False).encode()):
        yield "C", CAMERA + "ivs_result", raw, begins("nojson")
    loop = load(os.path.join(os.path.dirname(path), "vz_gpio_in.json"))
    at = "payload.body.AlarmGioIn.result.TriggerResult.value"
    for value, start in ((1, "gate occupied=1 "), (0, "gate occupied=0 "), (-1, "malformed"),
                         (256, "malformed"), ("1", "malformed"), (1.5, "malformed"),
                         (True, "malformed"), (None, "malformed"), ([1], "malformed")):
        raw = json.dumps(at_path(loop, at, value)).encode()
        yield "C", CAMERA + "gpio_in", raw, begins(start)


def device_cases():
    """All cases, none when the makers' messages are not at hand."""
    yield from sensor_cases()
    yield from camera_cases()
