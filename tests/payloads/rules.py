"""What a message must be: an oracle from protocol/schemas and protocol/README.md alone.

verdict(kind, name, document) says "ok", "invalid PLACE" or "not_found PLACE" of a parsed message,
without any of the code that it judges: the schemas say what may stand there, and the rules below
say what the page says in words (times that are, plates of GA 36-2018, names that are known).
"""
import datetime
import functools
import glob
import json
import os
import re
import unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCHEMAS = os.path.join(ROOT, "protocol", "schemas")

# The directory of tests/fuzz/support.c.
KNOWN = {
    "plate": {"浙FA1234", "浙FD12345"}, "place": {"lidu", "3-2-501"},
    "person": {"admin/1", "3-2-501/1"}, "user": {"admin", "gw1"}, "zone": {"A"}, "slot": {"A-017"},
    "lane": {"G1-in"},
}
GOOD = {
    "rid": "r-1", "time_given": "2019-05-20T18:00+08:00", "date": "2019-05-20",
    "day_minute": "08:30", "plate_given": "浙FA1234", "user": "gw1", "zone": "A", "lane": "G1-in",
    "place": "3-2-501", "person": "3-2-501/1", "slot": "A-017", "party": "3-2-501", "number": 12,
    "label": "陈明", "phone": "13800000000", "hex": "0123456789abcdef",
    "credential": "$7$101$" + "A" * 16 + "$" + "B" * 86 + "==",
}
MAKES_PLATES = {"parking.book", "parking.repeat", "parking.arrive", "gate.open", "parking.quote",
                "draw.ask"}


@functools.lru_cache(None)
def schema(name):
    with open(os.path.join(SCHEMAS, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def operations():
    """Names of all operations, and of all facts."""
    names = [os.path.basename(path)[:-5] for path in glob.glob(os.path.join(SCHEMAS, "*.json"))]
    return (sorted(n[len("request."):] for n in names if n.startswith("request.")),
            sorted(n[len("fact."):] for n in names if n.startswith("fact.")))


def resolve(part):
    """(name of the definition or None, the schema behind a $ref)."""
    if isinstance(part, dict) and "$ref" in part:
        name = part["$ref"].rsplit("/", 1)[1]
        return name, schema("common")["$defs"][name]
    return None, part


def good_value(part):
    """A value that this schema takes."""
    name, part = resolve(part)
    if name in GOOD:
        return GOOD[name]
    if "const" in part:
        return part["const"]
    if "enum" in part:
        return part["enum"][0]
    kind = part.get("type")
    if kind == "array":
        return [good_value(part["items"])]
    if kind == "boolean":
        return True
    if kind == "integer":
        return max(1, part.get("minimum", 1))
    if kind == "string":
        return "x" * max(1, part.get("minLength", 1))
    if "oneOf" in part or "anyOf" in part:
        return good_value((part.get("oneOf") or part.get("anyOf"))[0])
    raise ValueError("no good value for %r" % part)


def choices(part):
    return part.get("oneOf") or part.get("anyOf") or []


def good_document(part):
    """The least that an object's schema takes: what is required, and its first choice."""
    body = {name: good_value(part["properties"][name]) for name in part.get("required", [])
            if name != "rows" and name != "row"}
    for choice in choices(part)[:1]:
        for name, more in choice.get("properties", {}).items():
            if isinstance(more, dict) and "const" in more:
                body[name] = more["const"]
        for name in choice.get("required", []):
            body[name] = good_value(part["properties"][name])
    return body


# ---- single values ------------------------------------------------------------------------------
PLATE = re.compile(schema("common")["$defs"]["plate"]["pattern"])


def plate_form(text):
    """The one form of a plate, or None."""
    text = text.replace("·", "").replace(" ", "").replace("•", "").upper()
    return text if PLATE.match(text) else None


def is_time(text):
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?"
                         r"(Z|([+-])(\d\d):(\d\d))", text, re.ASCII)
    if not match:
        return False
    try:
        datetime.datetime(*(int(match.group(i) or 0) for i in range(1, 7)))
    except ValueError:
        return False
    return match.group(7) == "Z" or (int(match.group(9)) < 24 and int(match.group(10)) < 60)


def is_date(text):
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII)) and bool(
            datetime.date.fromisoformat(text))
    except ValueError:
        return False


def is_day_minute(text):
    match = re.fullmatch(r"(\d\d):(\d\d)", text, re.ASCII)
    return bool(match) and int(match.group(2)) < 60 and \
        60 * int(match.group(1)) + int(match.group(2)) <= 2880


def is_name(text):
    """1 to 64 bytes without hidden characters or blanks at its ends."""
    if not 1 <= len(text.encode()) <= 64 or text != text.strip(" 　\u00a0"):
        return False
    return not any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in text)


def value_verdict(definition, value, makes):
    """ok, invalid or not_found of a text whose JSON type and schema are right."""
    if definition == "time_given":
        return "ok" if is_time(value) else "invalid"
    if definition == "date":
        return "ok" if is_date(value) else "invalid"
    if definition == "day_minute":
        return "ok" if is_day_minute(value) else "invalid"
    if definition == "plate_given":
        form = plate_form(value)
        if form is None:
            return "invalid"
        return "ok" if makes or form in KNOWN["plate"] else "not_found"
    if definition == "party":
        if not is_name(value):
            return "invalid"
        return "ok" if value in KNOWN["place"] | KNOWN["person"] else "not_found"
    if definition in KNOWN:
        if not is_name(value):
            return "invalid"
        return "ok" if makes or value in KNOWN[definition] else "not_found"
    return "ok"
