#!/usr/bin/python3
"""The specification against the tables of the code: README.md, schemas, asyncapi.yaml, vectors.

Needs no daemon. Prints `ok NAME` or `not ok NAME: why`; exits 1 when something is not so.
    tests/e2e/test_protocol_docs.py [WORD]     only tests with a word in their name
"""
import json
import os
import re
import sys

import jsonschema
import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROTOCOL = os.path.join(ROOT, "protocol")
sys.path[:0] = [os.path.join(ROOT, "tests", "e2e"), os.path.join(PROTOCOL, "schemas")]
import generate  # noqa: E402
import schema_check  # noqa: E402

TESTS = []
# What a JSON Schema does not see: plates, days that do not exist, hidden characters, bounds of
# settings, lengths counted in bytes. The codec refuses it all the same.
BEYOND_SCHEMAS = ("not a plate", "not a time: 2019-05-20T25", "not a time: 2019-02-29",
                  "not a time: 2019-13", "not a time: 2019-00", "not a time: 2019-05-20T18:00+24",
                  "not a time: 1969", "not a time: 1970", "a name with a C1", "a name with a zero",
                  "a name that turns", "a name with a blank", "opens on the next", "closes after",
                  "a date that is none", "a name too long", "a setting be", "a day of another year",
                  "a day that is no day")
MESSAGES = {"refusal": "reply.json", "notice": "notice.json", "command": "down.command.json",
            "ack": "down.ack.json", "list": "down.list.json", "zone": "zone.json",
            "node": "node.json"}


def test(function):
    TESTS.append(function)
    return function


def read(*path):
    with open(os.path.join(PROTOCOL, *path), encoding="utf-8") as file:
        return file.read()


def cases(name):
    return json.loads(read("vectors", name))["cases"]


def fail_if(found):
    if found:
        raise AssertionError("; ".join(str(fault) for fault in found[:5])
                             + (" ..." if len(found) > 5 else ""))


# ---- schemas ------------------------------------------------------------------------------------
@test
def generated_files_are_up_to_date():
    fail_if(["%s: run protocol/schemas/generate.py" % os.path.relpath(path, ROOT)
             for path in generate.stale()])


def references(node):
    """All $ref in a tree."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@test
def schemas_are_valid():
    found = []
    for schema_id, schema in schema_check.load().items():
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            found.append("%s: %s" % (schema_id, error.message))
        resolver = jsonschema.RefResolver(schema_id, schema, store=schema_check.load())
        for reference in references(schema):
            try:
                resolver.resolve(reference)
            except jsonschema.RefResolutionError as error:
                found.append("%s: %s: %s" % (schema_id, reference, error))
    fail_if(found)


@test
def each_message_has_a_schema():
    names = set(schema_check.names())
    wanted = {"request.%s.json" % op[0] for op in generate.ops()}
    wanted |= {"fact.%s.json" % line[0] for line in generate.arguments(generate.MESSAGES,
                                                                       "TIDE_WIRE_FACT")}
    wanted |= set(MESSAGES.values()) | {"reply.json", "items.json", "common.json"}
    fail_if(sorted(wanted ^ names))


@test
def a_schema_check_sees_a_fault():
    good = b'{"rid":"r","code":"ok","items":[],"incarnation":1}'
    topic = "tide/1/home/u/app1/res/r"
    assert schema_check.check(topic, good) == []
    assert schema_check.check(topic, b"") == []
    for broken in (b"", b"{", b'{"code":"ok"}', good.replace(b'"ok"', b'"fine"'),
                   good.replace(b"[]", b'[{"is":"booking"}]'), good.replace(b"[]", b'[{"is":"x"}]'),
                   good.replace(b"}", b',"colour":1}')):
        assert schema_check.check(topic, broken or b" "), broken
    assert schema_check.check("tide/1/home/nothing", good)
    assert schema_check.check("tide/1/home/u/app1/req/parking.fly", b"{}")


# ---- vectors ------------------------------------------------------------------------------------
@test
def vectors_match_their_schemas():
    found, ops = [], set()
    for case in cases("requests.json"):
        ops.add(case["op"])
        found += ["%s: %s" % (case["name"], fault) for fault in
                  schema_check.faults_of("request.%s.json" % case["op"], case["request"])]
    found += ["no case for " + op[0] for op in generate.ops() if op[0] not in ops]
    for case in cases("facts.json"):
        if "fault" not in case:
            found += ["%s: %s" % (case["name"], fault) for fault in
                      schema_check.faults_of("fact.%s.json" % case["kind"], case["fact"])]
    for case in cases("replies.json"):
        found += ["%s: %s" % (case["name"], fault)
                  for fault in schema_check.faults_of("reply.json", case["reply"])]
    for case in cases("messages.json"):
        found += ["%s: %s" % (case["name"], fault)
                  for fault in schema_check.faults_of(MESSAGES[case["message"]], case["json"])]
    fail_if(found)


@test
def bad_vectors_do_not():
    found, seen = [], 0
    for case in cases("bad_requests.json"):
        if "request" not in case or case["fault"]["code"] != "invalid":
            continue
        seen += 1
        if not schema_check.faults_of("request.%s.json" % case["op"], case["request"]) and \
                not case["name"].startswith(BEYOND_SCHEMAS):
            found.append(case["name"])
    for case in cases("facts.json"):
        if case.get("fault", {}).get("code") == "invalid" and \
                not schema_check.faults_of("fact.%s.json" % case["kind"], case["fact"]):
            found.append(case["name"])
    assert seen > 100
    fail_if(found)


@test
def there_are_enough_vectors():
    count = sum(len(cases(name)) for name in os.listdir(os.path.join(PROTOCOL, "vectors"))
                if name != "names.json")
    assert count >= 120, count
    names = [case["name"] for name in ("requests.json", "bad_requests.json")
             for case in cases(name)]
    fail_if(sorted({name for name in names if names.count(name) > 1}))


# ---- asyncapi -----------------------------------------------------------------------------------
def pointed_at(document, reference):
    """What a reference within the document points at."""
    node = document
    for step in reference[2:].split("/"):
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


@test
def asyncapi_is_whole():
    document, found = yaml.safe_load(read("asyncapi.yaml")), []
    assert document["asyncapi"] == "3.0.0"
    for reference in references(document):
        if reference.startswith("#/"):
            pointed_at(document, reference)
        elif not os.path.isfile(os.path.join(PROTOCOL, reference)):
            found.append("no file " + reference)
    for name, operation in document["operations"].items():
        channel = pointed_at(document, operation["channel"]["$ref"])
        messages = ["#/channels/%s/messages/%s" % (name, name)]
        if [message["$ref"] for message in operation["messages"]] != messages or \
                operation["action"] not in ("send", "receive"):
            found.append("operation " + name)
        parameters = set(re.findall(r"\{(\w+)\}", channel["address"]))
        if parameters != set(channel["parameters"]):
            found.append("parameters of " + name)
    fail_if(found)


@test
def asyncapi_names_everything():
    document, found = yaml.safe_load(read("asyncapi.yaml")), []
    addresses = [channel["address"] for channel in document["channels"].values()]
    files = {os.path.basename(reference) for reference in references(document)
             if not reference.startswith("#")}
    found += ["op " + op[0] for op in generate.ops()
              if not any(address.endswith("/req/" + op[0]) for address in addresses)]
    found += ["schema " + name for name in schema_check.names()
              if name not in files | {"common.json", "items.json"}]
    for family, *_ in generate.arguments(generate.source("protocol/topics.def"), "TIDE_TOPIC"):
        pattern = re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(generate.patterns()[family]))
        if not any(re.fullmatch(pattern, address) for address in addresses):
            found.append("topic family " + family)
    fail_if(found)


# ---- README -------------------------------------------------------------------------------------
README = read("README.md")


def examples():
    """(schema file, text) of each fenced example."""
    for kind, name, text in re.findall(r"^```json ([\w.]+) ?([\w.]*)\n(.*?)^```", README,
                                       flags=re.M | re.S):
        yield "%s%s.json" % (kind, "." + name if name else ""), text


def section(op):
    """The text below an operation's heading."""
    return re.search(r"^### %s\n(.*?)(?=^##)" % re.escape(op), README, flags=re.M | re.S)[1]


@test
def readme_examples_are_right():
    found, seen = [], []
    for name, text in examples():
        seen.append(name)
        found += ["%s: %s: %s" % (name, fault, text.strip()[:60])
                  for fault in schema_check.faults_of(name, json.loads(text))]
    found += ["no example of " + name for name in schema_check.names()
              if name not in seen and name not in ("common.json", "items.json")]
    fail_if(found)


@test
def readme_describes_each_operation():
    headings = re.findall(r"^### (\S+)$", README, flags=re.M)
    found = sorted(set(headings) ^ {op[0] for op in generate.ops()})
    for name, _event, required, optional, _choice in generate.ops():
        text = section(name)
        found += ["%s: %s" % (name, member) for member in required
                  if "`%s`" % member not in text]
        found += ["%s: *`%s`*" % (name, member) for member in optional
                  if "*`%s`*" % member not in text and name != "share.open"]
    assert "`days`" in section("share.open") or "*`days`*" in section("share.open")
    fail_if(found)


@test
def readme_describes_each_row():
    found, text = [], section("admin.put")
    for is_, _record, required, optional in generate.arguments(generate.MESSAGES, "TIDE_WIRE_ROW"):
        line = re.search(r"^\| `%s` \| (.*) \|$" % is_, text, flags=re.M)
        if line is None:
            found.append("row " + is_)
        elif is_ != "window":
            found += ["%s: %s" % (is_, member) for member in required.split()
                      if not re.search(r"(?<!\*)`%s`" % member, line[1])]
            found += ["%s: *%s*" % (is_, member) for member in optional.split()
                      if "*`%s`*" % member not in line[1]]
    drops = section("admin.drop")
    found += ["drop " + line[0] for line in generate.arguments(generate.MESSAGES, "TIDE_WIRE_DROP")
              if "`%s` (" % line[0] not in drops]
    fail_if(found)


@test
def readme_names_each_word():
    found = []
    for name in ("code", "why", "notice_kind", "incident_kind", "role", "place_kind", "slot_title",
                 "slot_class", "via", "user_kind", "vehicle_kind", "lane_dir", "booking_state"):
        found += ["%s %s" % (name, word) for word in generate.ENUMS[name]
                  if word != "none" and "`%s`" % word not in README]
    found += ["topic " + pattern for family, pattern in generate.patterns().items()
              if "`%s`" % pattern not in README]
    inner = ("none", "utc_offset_min", "calendar_through_year", "clock_suspended", "granted_month",
             "rolled_date", "scaled")
    settings = re.findall(r"S\(\d+, (\w+), -?\d+, -?\d+, -?\d+\)", generate.TYPES)
    found += ["setting " + word for word in generate.ENUMS["setting"]
              if word not in inner and not word.startswith("resettle")
              and "`%s`" % word not in README]
    assert len(settings) == len(generate.ENUMS["setting"])
    fail_if(found)


@test
def readme_knows_the_limits():
    text = open(os.path.join(ROOT, "include/tide/limits.h"), encoding="utf-8").read()
    values = {}
    for name, value in re.findall(r"^#define (\w+) ([^/\n]*)", text, flags=re.M):
        if re.fullmatch(r"[\d()*+ L-]+", value.strip()):
            values[name] = eval(value.replace("LL", ""))  # digits and signs only, as just matched
    rows = re.findall(r"^\| .* \| (\d+) \| `(\w+)` \|$", README, flags=re.M)
    assert len(rows) >= 15, rows
    fail_if(["%s is %s" % (name, values.get(name)) for value, name in rows
             if values.get(name) != int(value)])


@test
def readme_links_lead_somewhere():
    anchors = {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-")
               for line in re.findall(r"^#+ (.*)$", README, flags=re.M)}
    found = []
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            if target[1:] not in anchors:
                found.append(target)
        elif not target.startswith("https://") and \
                not os.path.exists(os.path.join(PROTOCOL, target)):
            found.append(target)
    fail_if(found)


def main():
    failed, word = 0, sys.argv[1] if len(sys.argv) > 1 else ""
    for function in TESTS:
        if word not in function.__name__:
            continue
        try:
            function()
            print("ok " + function.__name__)
        except Exception as error:
            failed += 1
            print("not ok %s: %s: %s" % (function.__name__, type(error).__name__, error))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
