#!/usr/bin/python3
"""Writes protocol/schemas/*.json and protocol/asyncapi.yaml from the tables of the code.

    protocol/schemas/generate.py            write the files
    protocol/schemas/generate.py --check    write nothing; say which files are not as they should be

Read are include/tide/types.h (closed sets), records.h (fields), limits.h, protocol/topics.def and
messages.def. The schemas are exact for this version: an object with a member that is not described
does not match. Clients must be more patient than that (README.md, Growing).
"""
import json
import os
import re
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BASE = "https://tide.example/protocol/1/"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


# ---- reading the tables -------------------------------------------------------------------------
def source(path):
    """A C file without comments and continued lines."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    return text.replace("\\\n", " ")


def macros(text):
    """Bodies of #define NAME(...): name -> text up to the next line."""
    return {m[1]: m[2] for m in re.finditer(r"^#define (\w+)\([^)]*\)(.*)$", text, flags=re.M)}


def arguments(text, macro):
    """Arguments of each use of a macro that begins a line, split at commas outside of quotes."""
    pattern = r"^%s\(((?:[^()\"]|\"[^\"]*\"|\([^()]*\))*)\)" % macro
    for use in re.finditer(pattern, text, flags=re.M):
        parts = re.findall(r"(?:[^,\"()]|\"[^\"]*\"|\([^()]*\))+", use[1])
        yield [re.sub(r'"\s*"', "", part.strip()).strip('"') for part in parts]


TYPES = source("include/tide/types.h")
RECORDS = macros(source("include/tide/records.h"))
MESSAGES = source("protocol/messages.def")
LIMITS = dict(re.findall(r"^#define (TIDE_\w+) (\d+)\b", source("include/tide/limits.h"),
                         flags=re.M))
ENUMS = {name[len("TIDE_ENUM_"):]: re.findall(r"E\(P, \d+, (\w+)\)", body)
         for name, body in macros(TYPES).items()
         if name.startswith("TIDE_ENUM_") and "E(P" in body}
KEYS = {name: int(keys) for macro in ("TIDE_ROWS", "TIDE_EVENTS", "TIDE_REPLIES")
        for name, keys in re.findall(r"R\(\d+, (\w+), (\d)\)", RECORDS[macro])}
FIELDS = {name[len("TIDE_FIELDS_"):]: re.findall(r"F\(O, (\w+), (\w+)\)", body)
          for name, body in RECORDS.items() if name.startswith("TIDE_FIELDS_")}
REPLIES = re.findall(r"R\(\d+, (\w+), \d\)", RECORDS["TIDE_REPLIES"])
ROWS = re.findall(r"R\(\d+, (\w+), \d\)", RECORDS["TIDE_ROWS"])
NAMES = ("place", "person", "user", "plate", "zone", "slot", "lane")
NUMBERS = ("window", "booking", "series", "session", "incident", "posting", "notice", "command",
           "passage", "draw", "wish", "strike", "waiting")
MASKS = {"days": ["workday", "restday", "holiday", "eve"],
         "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
         "sense": ["gate", "sensor", "hand"]}
BITS = {"u8": 8, "u16": 16, "u32": 32}
INNER = ("unused", "warned", "wait_from", "wait_look_ms")
# Said of some of a record only.
SELDOM = {("wait_place", "chance_pct"), ("offer", "position"), ("offer", "chance_pct"),
          ("offer", "of"), ("notice", "minutes")}


def is_word(record):
    """What stands after "is": the record's name without _row."""
    return record[:-4] if record.endswith("_row") else record


def member_of(record, kind, name):
    """The name of a field on the wire (members.c says the same)."""
    if name == "id" and KEYS.get(record) == 1:
        return is_word(record)
    if kind == "time" and name.endswith("_ms"):
        return name[:-3]
    if kind == "dayminute":
        return name[:-4]
    return name


def ref(name, file="common.json"):
    return {"$ref": "%s#/$defs/%s" % (file, name)}


# ---- types --------------------------------------------------------------------------------------
def common():
    date, clock, offset = r"\d{4}-\d\d-\d\d", r"[0-2]\d:[0-5]\d", r"(Z|[+-][0-2]\d:[0-5]\d)"
    text = {"type": "string", "minLength": 1, "maxLength": int(LIMITS["TIDE_NAME_BYTES_MAX"])}
    topic_text = dict(text, pattern=r"^[^/+#\u0000-\u001f]*$")
    defs = {
        "rid": {"type": "string",
                "pattern": "^[A-Za-z0-9_-]{1,%s}$" % LIMITS["TIDE_RID_BYTES_MAX"]},
        "time_given": {
            "description": "RFC 3339; the offset is needed, seconds are not",
            "type": "string",
            "pattern": r"^%sT%s(:[0-5]\d(\.\d{1,9})?)?%s$" % (date, clock, offset)},
        "time": {
            "description": "civil time of the domain, with its offset",
            "type": "string", "pattern": r"^%sT%s:[0-5]\d%s$" % (date, clock, offset)},
        "real_time": {
            "description": "real time, never scaled, to the millisecond",
            "type": "string", "pattern": r"^%sT%s:[0-5]\d\.\d{3}%s$" % (date, clock, offset)},
        "date": {"type": "string", "pattern": "^%s$" % date},
        "hex": {
            "description": "a quarter of a SHA-256 digest, or half of a nonce",
            "type": "string", "pattern": "^[0-9a-f]{16}$"},
        "day_minute": {
            "description": "time of day; from 24:00 on it is the next day's",
            "type": "string", "pattern": r"^[0-4]\d:[0-5]\d$"},
        "plate_given": dict(text, description="a plate of GA 36-2018; blanks, the dot and lower "
                            "case are mended"),
        "plate": {
            "description": "a plate of GA 36-2018 in its one form", "type": "string",
            "pattern": r"^([一-龥][A-HJ-Z][A-HJ-NP-Z0-9]{5,6}|[一-龥][A-HJ-Z][A-HJ-NP-Z0-9]{4}"
                       r"[挂学警港澳领]|\d{6}使|WJ[一-龥]?\d{4}[0-9TDSHBXJ])$"},
        "user": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
        "zone": dict(topic_text, **{"not": {"const": "others"}}),
        "lane": topic_text,
        "place": text, "person": text, "slot": text, "party": text,
        "number": {"type": "integer", "minimum": 1, "maximum": 4294967295},
        "cursor": {"type": "integer", "minimum": 0, "maximum": 4294967295},
        "label": {"type": "string", "minLength": 1, "maxLength": 128},
        "phone": {"type": "string", "pattern": "^[0-9+ -]{3,32}$"},
        "credential": {
            "description": "a line's second part of mosquitto's password file",
            "type": "string",
            "pattern": r"^\$7\$([1-9][0-9]{0,4}|100000)\$"
                       r"(([A-Za-z0-9+/]{4}){4,20}[A-Za-z0-9+/]{3}=|"
                       r"([A-Za-z0-9+/]{4}){4,21}([A-Za-z0-9+/]{2}==)?)\$[A-Za-z0-9+/]{86}==$",
            "maxLength": int(LIMITS["TIDE_SECRET_HASH_BYTES_MAX"]) - 1},
    }
    for mask, words in MASKS.items():
        defs[mask] = {"type": "array", "items": {"enum": words}, "minItems": 1, "uniqueItems": True}
    for name, words in sorted(ENUMS.items()):
        if name not in ("counter", "name_kind"):
            defs["enum_" + name] = {"enum": [word for word in words if word != "none"]}
    return defs


def type_schema(kind, given):
    """The schema of a field's type; given: as a client may write it."""
    if kind in NAMES:
        return ref("plate_given" if kind == "plate" and given else kind)
    if kind in NUMBERS:
        return ref("number")
    if kind.startswith("enum_"):
        return ref(kind)
    if kind in ("days", "weekdays", "sense", "date"):
        return ref(kind)
    if kind == "time":
        return ref("time_given" if given else "time")
    if kind == "dayminute":
        return ref("day_minute")
    if kind == "flag":
        return {"type": "boolean"}
    if kind == "hex":
        return ref("hex")
    if kind in BITS:
        return {"type": "integer", "minimum": 0, "maximum": 2 ** BITS[kind] - 1}
    return {"type": "integer"}


TEXTS = {"full_name": "label", "phone": "phone", "credential": "credential", "title": "label"}


def given_member(record, member):
    """The schema of a member that a client writes."""
    fields = {member_of(record, kind, name): kind for kind, name in FIELDS[record]}
    if member == "for":
        return ref("party")
    if member in ("after", "before") and fields[member] in NUMBERS:
        return ref("cursor")
    if member == "at":
        return ref("time_given")
    if member == "battery_pct":
        return {"type": "integer", "minimum": 0, "maximum": 100}
    if member in fields:
        return type_schema(fields[member], True)
    if member in TEXTS:
        return ref(TEXTS[member])
    return ref(member)  # person, plate: objects of forget and correct


def closed(properties, required, **more):
    body = {"type": "object", "properties": properties, "required": required,
            "additionalProperties": False}
    body.update(more)
    return body


# ---- requests -----------------------------------------------------------------------------------
def choice_of(choice):
    if not choice:
        return {}
    names = choice[1:].split()
    each = [{"required": [name]} for name in names]
    if choice[0] == "?":
        return {"not": {"required": names}}
    return {"oneOf" if choice[0] == "=" else "anyOf": each}


WEEKLY = ["days", "weekdays", "from_date", "until_date", "opens", "closes"]
WINDOW_KINDS = {"oneOf": [
    {"properties": {"kind": {"const": "weekly"}, "start": False, "end": False},
     "required": ["opens", "closes"]},
    {"properties": dict({"kind": {"const": "once"}}, **{name: False for name in WEEKLY}),
     "required": ["start", "end"]}]}


def row_schemas(macro, with_texts):
    found = []
    for line in arguments(MESSAGES, macro):
        is_, record, required, optional = (line + [""])[:4]
        names = required.split() + (optional.split() if with_texts else [])
        properties = {"is": {"const": is_}}
        properties.update((name, given_member(record, name)) for name in names)
        more = WINDOW_KINDS if is_ == "window" and with_texts else {}
        found.append(closed(properties, ["is"] + required.split(), **more))
    return {"oneOf": found}


def calendar_day():
    return closed({"name": {"type": "string"}, "date": ref("date"),
                   "isOffDay": {"type": "boolean"}}, ["date", "isOffDay"])


def special_members(op):
    if op == "admin.put":
        return {"rows": {"type": "array", "minItems": 1, "maxItems": int(LIMITS["TIDE_ITEMS_MAX"]),
                         "items": row_schemas("TIDE_WIRE_ROW", True)}}
    if op == "admin.drop":
        return {"row": row_schemas("TIDE_WIRE_DROP", False)}
    if op == "calendar.put":
        return {"year": {"type": "integer", "minimum": 1971, "maximum": 9998},
                "days": {"type": "array", "items": calendar_day(),
                         "maxItems": int(LIMITS["TIDE_DAY_EXCEPTIONS_MAX"])},
                "papers": True}
    return {}


def ops():
    """(name, event, required, optional, choice) of each op."""
    for line in arguments(MESSAGES, "TIDE_OP"):
        yield line[0], line[1], line[4].split(), line[5].split(), line[6]


def is_read(event):
    return event.startswith("ask_") or event == "backup"


def request_schema(name, event, required, optional, choice):
    special = special_members(name)
    properties = {"rid": ref("rid"), "expires": ref("time_given")}
    for member in required + optional:
        if not member.startswith("$"):
            properties[member] = special.get(member) or given_member(event, member)
    more = dict(WINDOW_KINDS) if event == "share" else choice_of(choice)
    if "$id" in optional:  # of a holiday file; as a property it would be taken for the schema's own
        more["patternProperties"] = {r"^\$(id|schema)$": True}
    needed = ["rid"] + ([] if is_read(event) else ["expires"]) + required
    return closed(properties, needed, title="request %s" % name, **more)


# ---- what the daemon says -----------------------------------------------------------------------
def always_there(kind, member):
    if kind == "flag":
        return True
    if kind.startswith("enum_"):
        return "none" not in ENUMS[kind[5:]]
    return kind in ("u8", "u16", "u32", "i32", "i64", "minutes") and member != "roles"


def record_members(record):
    properties, required = {}, []
    for kind, name in FIELDS[record]:
        if name in INNER:
            continue
        member = member_of(record, kind, name)
        if record == "whoami" and name == "roles":
            properties[member] = {"type": "array", "items": ref("enum_role")}
            required.append(member)
            continue
        properties[member] = type_schema(kind, False)
        if always_there(kind, name) and not (
                record == "zone" and name.startswith("draw_")) and (record, name) not in SELDOM:
            required.append(member)
    for text in {"place": ["title"], "zone": ["title"], "zone_now": ["title"],
                 "person": ["full_name", "phone"]}.get(record, []):
        properties[text] = ref(TEXTS[text])
    return properties, required


def item_schema(record):
    properties, required = record_members(record)
    return closed(dict({"is": {"const": is_word(record)}}, **properties), ["is"] + required)


def items():
    never = ("counter_row", "gateway_cursor", "forgotten", "outcome")
    shown = [record for record in ROWS if record not in never]
    shown += [record for record in REPLIES if record != "reply"]
    return {is_word(record): item_schema(record) for record in shown}


def reply_schema():
    properties = {
        "rid": ref("rid"), "code": ref("enum_code"), "why": ref("enum_why"), "id": ref("number"),
        "free_from": ref("time"), "free_until": ref("time"), "limit": {"type": "integer"},
        "left_min": {"type": "integer", "minimum": 0},
        "at": {"type": "string", "maxLength": 63}, "detail": {"type": "string", "maxLength": 100},
        "items": {"type": "array",
                  "items": {"oneOf": [ref(name, "items.json") for name in items()]}},
        "more": {"const": True}, "incarnation": {"type": "integer", "minimum": 0}}
    return closed(properties, ["rid", "code", "items", "incarnation"])


def counts(names):
    return {name: {"type": "integer", "minimum": 0} for name in names}


def notice_schema():
    properties, required = record_members("notice")
    properties = dict({"is": {"const": "notice"}}, **properties)
    properties["incarnation"] = {"type": "integer", "minimum": 0}
    return closed(properties, ["is"] + required + ["notice", "kind", "at", "incarnation"])


def zone_schema():
    hour = closed(dict({"start": ref("time")}, **counts(["supply", "promised", "parked"])),
                  ["start", "supply", "promised", "parked"])
    numbers = ["slots", "open", "promised", "parked", "free"]
    properties = {"zone": ref("lane"), "title": ref("label"),
                  "ver": {"type": "integer", "minimum": 1}, "ts": ref("time")}
    properties.update(counts(numbers))
    properties["hours"] = {"type": "array", "items": hour}
    properties["incarnation"] = {"type": "integer", "minimum": 0}
    return closed(properties, ["zone", "ver", "ts"] + numbers + ["hours", "incarnation"])


def node_schema():
    properties = {"node": {"type": "string"}, "state": {"enum": ["up", "down", "unavailable"]},
                  "civil": ref("time"), "real": ref("real_time"),
                  "scale": {"type": "integer", "minimum": 1},
                  "incarnation": {"type": "integer", "minimum": 0}}
    return closed(properties, list(properties))


def command_schema():
    properties = {
        "command": ref("number"), "kind": ref("enum_command_kind"), "lane": ref("lane"),
        "plate": ref("plate"), "why": ref("enum_why"), "ask": ref("number"),
        "booking": ref("number"), "slot": ref("slot"), "valid_until": ref("real_time")}
    return closed(properties, ["command", "kind", "valid_until"])


def list_schema():
    entry = closed({"plate": ref("plate"), "from": ref("time"), "until": ref("time")}, ["plate"])
    properties = {"ver": {"type": "integer", "minimum": 0},
                  "page": {"type": "integer", "minimum": 0},
                  "pages": {"type": "integer", "minimum": 1}, "delta": {"type": "boolean"},
                  "passes": {"type": "array", "items": entry}}
    return closed(properties, list(properties))


def fact_schema(kind, event, required, optional):
    number = {"type": "integer", "minimum": 0 if kind == "hello" else 1, "maximum": 4294967295}
    properties = {name: given_member(event, name) for name in required + optional}
    properties["seq"] = number
    if kind == "plate" or kind == "gate":
        properties["plate"] = {"type": "string", "maxLength": int(LIMITS["TIDE_NAME_BYTES_MAX"])}
    if kind == "done":
        properties["state"] = {"enum": ["done", "failed"]}
    return closed(properties, required)


# ---- all files ----------------------------------------------------------------------------------
def schemas():
    """File name -> schema."""
    found = {"common.json": {"$defs": common()}, "items.json": {"$defs": items()},
             "reply.json": reply_schema(), "notice.json": notice_schema(),
             "zone.json": zone_schema(), "node.json": node_schema(),
             "down.command.json": command_schema(),
             "down.list.json": list_schema(),
             "down.ack.json": closed(counts(["boot", "seq", "incarnation"]),
                                     ["boot", "seq", "incarnation"])}
    for op in ops():
        found["request.%s.json" % op[0]] = request_schema(*op)
    for line in arguments(MESSAGES, "TIDE_WIRE_FACT"):
        kind, event, required, optional = (line + [""])[:4]
        found["fact.%s.json" % kind] = fact_schema(kind, event, required.split(), optional.split())
    return {name: dict({"$schema": DIALECT, "$id": BASE + name}, **body)
            for name, body in found.items()}


# ---- asyncapi -----------------------------------------------------------------------------------
PARAMETERS = {
    "domain": "what the daemon serves: a community, by its short name",
    "user": "one device of a person, or a console; the broker lets nobody write another's",
    "gateway": "a user of kind gateway", "rid": "the request's own id, made by the client",
    "zone": "a zone; `others` for the zones of fewer than %s slots"
            % LIMITS["TIDE_PUBLIC_ZONE_SLOTS_MIN"],
    "node": "a daemon"}
FACT_WORDS = {"plate": "a plate before an arm", "slot": "a slot's sensor spoke",
              "gate": "the gateway's own list decided", "done": "a command was carried out",
              "hello": "the gateway began"}
DOWN_WORDS = {"command": "what a device must do", "ack": "facts up to here are durable",
              "list": "plates that may pass while nobody answers"}


def channel(address, schema, message, summary):
    names = re.findall(r"\{(\w+)\}", address)
    body = {"address": address, "messages": {message: {"$ref": "#/components/messages/" + message}},
            "description": summary}
    body["parameters"] = {name: {"$ref": "#/components/parameters/" + name} for name in names}
    return body, {"contentType": "application/json", "payload": {
        "schemaFormat": "application/schema+json;version=draft-2020-12",
        "schema": {"$ref": "./schemas/" + schema}}}


def patterns():
    """family -> address with the names of its parts."""
    found = {}
    tails = {"request": "op", "reply": "rid", "fact": "kind", "down": "kind", "zone": "zone",
             "sys": "node"}
    for family, pattern, *_ in arguments(source("protocol/topics.def"), "TIDE_TOPIC"):
        pattern = pattern.replace("{tail}", "{%s}" % tails.get(family, "tail"))
        found[family] = pattern.replace("{user}", "{gateway}") if "/gw/" in pattern else pattern
    return found


def asyncapi():
    topics, channels, messages, operations = patterns(), {}, {}, {}

    def add(name, address, schema, summary, action, replied=False):
        channels[name], messages[name] = channel(address, schema, name, summary)
        operations[name] = {"action": action, "channel": {"$ref": "#/channels/" + name},
                            "messages": [{"$ref": "#/channels/%s/messages/%s" % (name, name)}],
                            "summary": summary}
        if replied:
            operations[name]["reply"] = {"channel": {"$ref": "#/channels/reply"}}

    for op in ops():
        name = "request." + op[0]
        add(name, topics["request"].replace("{op}", op[0]), name + ".json", "asks " + op[0],
            "receive", True)
    add("reply", topics["reply"], "reply.json", "the answer to one request", "send")
    add("notice", topics["inbox"], "notice.json", "something a person should know", "send")
    for kind, words in FACT_WORDS.items():
        add("fact." + kind, topics["fact"].replace("{kind}", kind), "fact.%s.json" % kind, words,
            "receive")
    for kind, words in DOWN_WORDS.items():
        add("down." + kind, topics["down"].replace("{kind}", kind), "down.%s.json" % kind, words,
            "send")
    add("zone", topics["zone"], "zone.json", "a zone's tide, retained", "send")
    add("node", topics["sys"], "node.json", "the daemon's own state, retained; also its will",
        "send")
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Tide", "version": "1",
                 "description": "Shared parking of a neighbourhood over MQTT. README.md is the "
                                "specification; this file is generated by schemas/generate.py. "
                                "`receive` is what the daemon takes, `send` what it says."},
        "defaultContentType": "application/json",
        "servers": {"people": {"host": "localhost:1883", "protocol": "mqtt",
                               "description": "MQTT 3.1.1 or 5; user and password",
                               "security": [{"$ref": "#/components/securitySchemes/user"}]}},
        "channels": channels, "operations": operations,
        "components": {
            "parameters": {name: {"description": words} for name, words in PARAMETERS.items()},
            "messages": messages,
            "securitySchemes": {"user": {"type": "userPassword"}}}}


def files():
    """Path -> text of every file that this script makes."""
    made = {os.path.join(HERE, name): json.dumps(body, ensure_ascii=False, indent=1) + "\n"
            for name, body in schemas().items()}
    made[os.path.join(ROOT, "protocol", "asyncapi.yaml")] = yaml.safe_dump(
        asyncapi(), sort_keys=False, allow_unicode=True, width=100)
    return made


def stale():
    """Paths that are not as they should be, those that should not be there included."""
    made, found = files(), []
    for path, text in made.items():
        try:
            with open(path, encoding="utf-8") as file:
                if file.read() != text:
                    found.append(path)
        except FileNotFoundError:
            found.append(path)
    there = {os.path.join(HERE, name) for name in os.listdir(HERE) if name.endswith(".json")}
    return found + sorted(there - set(made))


def main():
    if sys.argv[1:] == ["--check"]:
        found = stale()
        for path in found:
            print("out of date: " + os.path.relpath(path, ROOT))
        return 1 if found else 0
    for path in stale():
        if path not in files():
            os.remove(path)
    for path, text in files().items():
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
