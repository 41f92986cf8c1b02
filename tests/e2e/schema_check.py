"""schema_check.py - is a message as the protocol says? Finds the schema by the topic.

    import schema_check
    faults = schema_check.check("tide/1/home/u/app1/res/r-1", b'{"rid":"r-1",...}')  # [] if right

Schemas are those in protocol/schemas (2020-12). An empty payload is right: it clears what was
retained. Faults are sentences with the place in the message. A topic that is not Tide's is a fault.
"""
import json
import os
import re

import jsonschema

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "protocol", "schemas")
FAULTS_MAX = 5
FAMILIES = [
    (r"tide/1/[^/]+/u/[^/]+/req/([^/]+)", "request.{0}.json"),
    (r"tide/1/[^/]+/u/[^/]+/res/[^/]+", "reply.json"),
    (r"tide/1/[^/]+/u/[^/]+/inbox", "notice.json"),
    (r"tide/1/[^/]+/gw/[^/]+/up/([^/]+)", "fact.{0}.json"),
    (r"tide/1/[^/]+/gw/[^/]+/down/([^/]+)", "down.{0}.json"),
    (r"tide/1/[^/]+/pub/zone/[^/]+", "zone.json"),
    (r"tide/1/sys/[^/]+", "node.json"),
]
_STORE = {}
_VALIDATORS = {}


def load():
    """All schemas by their $id."""
    if not _STORE:
        for name in sorted(os.listdir(FOLDER)):
            if name.endswith(".json"):
                with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
                    schema = json.load(file)
                _STORE[schema["$id"]] = schema
    return _STORE


def names():
    """File names of all schemas."""
    return [schema_id.rsplit("/", 1)[1] for schema_id in load()]


def validator(name, pointer=""):
    """The validator of a schema file, or of a part of it ("/$defs/booking"); None: no such file."""
    key = name + "#" + pointer
    if key not in _VALIDATORS:
        store = load()
        base = next((schema_id for schema_id in store if schema_id.endswith("/" + name)), None)
        if base is None:
            return None
        schema = store[base]
        resolver = jsonschema.RefResolver(base, schema, store=store)
        if pointer:
            schema = {"$ref": base + "#" + pointer}
        _VALIDATORS[key] = jsonschema.Draft202012Validator(schema, resolver=resolver)
    return _VALIDATORS[key]


def schema_name(topic):
    """The schema file of a topic, None when the topic is not Tide's."""
    for pattern, name in FAMILIES:
        match = re.fullmatch(pattern, topic)
        if match:
            return name.format(*match.groups())
    return None


def path_of(error):
    """rows[3].zone"""
    text = ""
    for step in error.absolute_path:
        text += "[%d]" % step if isinstance(step, int) else ("." if text else "") + str(step)
    return text or "the whole"


def item_faults(item, place):
    """The faults of one item of a reply, by the schema of what it says it is."""
    kind = item.get("is") if isinstance(item, dict) else None
    if "/$defs/%s" % kind not in ("/$defs/" + name for name in
                                  next(body for key, body in load().items()
                                       if key.endswith("/items.json"))["$defs"]):
        return ["%s: no such item: %r" % (place, kind)]
    return ["%s.%s: %s" % (place, path_of(error), error.message)
            for error in validator("items.json", "/$defs/" + kind).iter_errors(item)]


def faults_of(name, body):
    """The faults of a message by the schema in a file."""
    check_by = validator(name)
    if check_by is None:
        return ["there is no schema " + name]
    if name == "reply.json" and isinstance(body, dict) and isinstance(body.get("items"), list):
        found = []
        for index, item in enumerate(body["items"]):
            found += item_faults(item, "items[%d]" % index)
        head = dict(body, items=[])
        return found + ["%s: %s" % (path_of(e), e.message) for e in check_by.iter_errors(head)]
    return ["%s: %s" % (path_of(error), error.message) for error in check_by.iter_errors(body)]


def check(topic, payload):
    """Faults of a message, at most FAULTS_MAX; an empty list when it is as it should be."""
    name = schema_name(topic)
    if name is None:
        return ["not a topic of Tide"]
    if not payload:
        return []
    try:
        body = json.loads(payload)
    except ValueError as error:
        return ["not JSON: %s" % error]
    return faults_of(name, body)[:FAULTS_MAX]
