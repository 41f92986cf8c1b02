"""Bad messages by rule, each with what must be said of it.

A case is (way, name, bytes, expected): way R, F, E, S or C of judge.c; expected is a verdict, or a
function that looks at one. Every document has one fault, so that its place is known.
"""
import functools
import json

import jsonschema
import rules

# ---- values that a member may not have, as JSON text ---------------------------------------------
TEXTS = ['12', 'true', '[]', '{}', 'null', '""', '["A"]', '-1', '"%s"' % ("x" * 65), '"潮%s"' % (
    "汐" * 21), '" A"', '"A "', '"A\\tB"', '"A\\u200bB"', '"A\\u202eB"', '"A\\u0000"', '"\\ud800"',
    '"\\udc00"', '"A\\ud83d"', '"\\ude00\\ud83d"', '"never seen"', 'A', "'A'", '"A" "B"', 'NaN']
NUMBERS = ['"12"', '-1', '1.5', '1.0', '1e3', '1E2', '4294967296', '9007199254740993', '-0.0', '01',
           '+1', '1e999', 'NaN', 'Infinity', '-Infinity', '0x10', 'true', 'null', '[1]', '{}', '""',
           '9' * 400, '1_000', '.5', '5.']
FLAGS = ['0', '1', '"true"', 'null', '[]', '{}', 'True', 'TRUE', '"yes"', 'truefalse', '-1']
LISTS = ['"workday"', '[1]', '["feast"]', '[null]', '[["workday"]]', 'null', '{}', '["workday",]',
         '["workday" "eve"]', '[,]', 'true', '7', '["WORKDAY"]', '["workday ",""]']
WORDS = ['"pigeon"', '0', '1', 'null', '[]', '{}', '""', 'true', '"APP"', '"none "', '"\\u0000"',
         '"\\ud83d"']
TIMES = ['"tomorrow"', '1558346400000', '"2019-05-20T18:00"', '"2019-05-20 18:00+08:00"',
         '"2019-02-30T18:00+08:00"', '"2019-13-01T18:00Z"', '"2019-05-20T24:00Z"',
         '"2019-05-20T18:60Z"', '"2019-05-20T18:00:60Z"', '"2019-05-20T18:00+24:00"',
         '"2019-05-20T18:00+08:60"', '"2019-05-20T18:00:00.1234567891Z"', '"2019-05-20T18:00:00.Z"',
         '"0000-05-20T18:00Z"', '"2019-5-20T18:00Z"', '"２０１９-05-20T18:00Z"', '"2019-05-20"',
         '"2019-05-20T18:00+0800"', '"2019-05-20T18:00+08:00 "', '"-2019-05-20T18:00Z"', 'null',
         '"20190520T1800Z"', '"2019-05-20T18Z"', '""', '[]']
DATES = ['"2019-02-29"', '"2019-13-01"', '"2019-00-10"', '"2019-5-20"', '"20.5.2019"', '18036',
         '"2019-05-20T00:00Z"', '"0000-01-01"', '"today"', 'null', '"２０１９-05-20"', '""']
HOURS = ['"48:01"', '"8:30"', '"08:60"', '"08:30:00"', '"-1:00"', '510', '"noon"', '"99:00"',
         '"08.30"', 'null', '"０8:30"', '""', '" 8:30"']
PLATES = ['"HELLO"', '"浙"', '"浙F1234"', '"浙FI2345"', '"浙IF1234"', '"浙F1234567"', '"12345"',
          '"浙F\\nA1234"', '"浙FA1234\\u0000"', '"浙F-A1234"', '"WJ"', '"使0145"', '"A浙F1234"']

HEXES = ['"0123456789abcde"', '"0123456789abcdef0"', '"0123456789ABCDEF"', '"0x23456789abcdef"',
         '"0123456789abcdeg"', '81985529216486895', '""', 'null', '[]', '" 123456789abcdef"']


def bad_values(definition, part):
    if definition == "time_given":
        return TIMES
    if definition == "date":
        return DATES
    if definition == "day_minute":
        return HOURS
    if definition == "hex":
        return HEXES
    if "enum" in part:
        return WORDS
    kind = part.get("type")
    if kind == "integer":
        return NUMBERS
    if kind == "boolean":
        return FLAGS
    if kind == "array":
        return LISTS
    return TEXTS + (PLATES if definition == "plate_given" else [])


# ---- which texts are JSON at all -----------------------------------------------------------------
class NotStrict(ValueError):
    """JSON for many, but not for section 3 of the protocol."""


def unique(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise NotStrict("twice")
    return dict(pairs)


def whole(text):
    if abs(int(text)) > 9007199254740991 or text == "-0":
        raise NotStrict("beyond 2^53")
    return int(text)


def refuse(text):
    raise NotStrict(text)


def strict(text):
    """The value of a JSON text; NotStrict or ValueError when section 3 refuses it."""
    value = json.loads(text, parse_int=whole, parse_float=refuse, parse_constant=refuse,
                       object_pairs_hook=unique)
    check_texts(value)
    return value


def check_texts(value):
    if isinstance(value, str):
        if "\0" in value or any(0xd800 <= ord(c) < 0xe000 for c in value):
            raise NotStrict("NUL or half a pair")
    elif isinstance(value, (list, dict)):
        for item in value if isinstance(value, list) else value.values():
            check_texts(item)
    elif value is None:
        raise NotStrict("null")


@functools.lru_cache(None)
def validator(text):
    base = "https://tide.example/protocol/1/"
    store = {base + "common.json": rules.schema("common")}
    resolver = jsonschema.RefResolver(base + "part.json", {}, store)
    return jsonschema.Draft202012Validator(json.loads(text), resolver=resolver)


def schema_takes(part, value):
    return validator(json.dumps(part)).is_valid(value)


# ---- objects that can be broken ------------------------------------------------------------------
class Shape:
    """An object in a message: its schema, where it stands, how the message is made around it."""

    def __init__(self, way, name, part, place="", wrap=None, makes=()):
        self.way, self.name, self.part, self.place = way, name, part, place
        self.wrap, self.makes = wrap or (lambda text: text), makes

    def message(self, members):
        """Bytes of the whole message, of members given as (name, JSON text)."""
        text = "{%s}" % ",".join('"%s":%s' % pair for pair in members)
        return self.wrap(text).encode("utf-8", "surrogatepass")

    def good(self, member=None):
        """Members of a message that is taken, with this one among them; None: there is none."""
        body = rules.good_document(self.part)
        if member is not None and member not in body:
            body = self.with_member(body, member)
        return None if body is None else [(n, json.dumps(v, ensure_ascii=False))
                                          for n, v in body.items()]

    def with_member(self, body, member):
        value = rules.good_value(self.part["properties"][member])
        tries = [dict(body, **{member: value})]
        required = self.part.get("required", [])
        for choice in rules.choices(self.part):
            other = {name: body.get(name, rules.good_value(self.part["properties"][name]))
                     for name in list(required) + choice.get("required", [])}
            for name, more in choice.get("properties", {}).items():
                if isinstance(more, dict) and "const" in more:
                    other[name] = more["const"]
            tries.append(dict(other, **{member: value}))
        return next((one for one in tries if schema_takes(self.part, one)), None)


def around(op, member):
    """How a row becomes a message of admin.put, admin.drop or calendar.put."""
    head = '{"rid":"r-1","expires":"2026-05-20T10:00:00Z",%s%%s%s}'
    form = {"rows": ('"rows":[', "]"), "row": ('"row":', ""),
            "days": ('"year":2019,"days":[', "]")}[member]
    return lambda text: head.replace("%s%%s%s", form[0] + "%s" + form[1]) % text


def shapes():
    operations, facts = rules.operations()
    for op in operations:
        if op not in ("admin.put", "admin.drop", "calendar.put"):
            makes = ("plate",) if op in rules.MAKES_PLATES else ()
            yield Shape("R", op, rules.schema("request." + op), makes=makes)
    for fact in facts:
        yield Shape("F", fact, rules.schema("fact." + fact), makes=("plate", "lane?", "slot?"))
    for row in rules.schema("request.admin.put")["properties"]["rows"]["items"]["oneOf"]:
        own = row["properties"]["is"]["const"]
        own = "plate" if own == "vehicle" else own
        yield Shape("R", "admin.put", row, "rows[0].", around("admin.put", "rows"), (own, "plate"))
    for row in rules.schema("request.admin.drop")["properties"]["row"]["oneOf"]:
        yield Shape("R", "admin.drop", row, "row.", around("admin.drop", "row"))
    day = rules.schema("request.calendar.put")["properties"]["days"]["items"]
    yield Shape("R", "calendar.put", day, "days[0].", around("calendar.put", "days"))


# ---- one member at a time ------------------------------------------------------------------------
def member_verdict(shape, member, part, text):
    """What must be said of this text in the place of a member; None: it is no bad one."""
    place = shape.place + member
    anywhere = ("invalid", (place, "", shape.place.rstrip("."), shape.place.split("[")[0],
                            place + "[0]", place + "[1]"))
    try:
        value = strict(text)
    except ValueError:
        return anywhere
    definition, part = rules.resolve(part)
    if not schema_takes(part, value):
        if definition == "plate_given" and shape.way == "F" and value == "":
            return None  # a car that could not be read
        return ("invalid", (place,) if not isinstance(value, (list, dict)) else anywhere[1])
    if not isinstance(value, str) or definition is None:
        return None
    verdict = rules.value_verdict(definition, value, member in shape.makes)
    if verdict == "ok" or (definition == "plate_given" and shape.way == "F"):
        return None
    if verdict == "not_found" and shape.way == "F":
        return None  # a fact about a lane or slot that nobody knows counts all the same
    return (verdict, (place,))


def member_cases(shape):
    for member, part in shape.part["properties"].items():
        if member == "papers" or not isinstance(part, dict):
            continue
        base = shape.good(member)
        if base is None:
            continue
        if "const" in part:
            texts = ['"dragon"', '1', 'null', '[]', '""']
        else:
            texts = bad_values(*rules.resolve(part))
        for text in texts:
            verdict = member_verdict(shape, member, part, text)
            if verdict is not None:
                members = [(n, text if n == member else v) for n, v in base]
                yield shape.way, shape.name, shape.message(members), verdict
        if member in shape.part.get("required", []):
            members = [pair for pair in base if pair[0] != member]
            yield shape.way, shape.name, shape.message(members), ("invalid", (
                shape.place + member,))
        members = base + [pair for pair in base if pair[0] == member]
        yield shape.way, shape.name, shape.message(members), ("invalid", None)
        # the same name, written with an escape
        members = [("\\u%04x%s" % (ord(n[0]), n[1:]) if n == member else n, v) for n, v in base]
        yield shape.way, shape.name, shape.message(members), ("invalid", None)


def object_cases(shape):
    base = shape.good()
    for name, value in (("colour", '"red"'), ("", "1"), ("RID", '"r-2"'), ("__proto__", "{}"),
                        ("潮", "1"), ("x" * 300, "1"), ("a\\nb", "1")):
        yield shape.way, shape.name, shape.message(base + [(name, value)]), ("invalid", None)
    for choice in rules.choices(shape.part):
        for gone in choice.get("required", []):
            members = [pair for pair in base if pair[0] != gone]
            body = {n: strict(v) for n, v in members}
            if not schema_takes(shape.part, body):
                yield shape.way, shape.name, shape.message(members), ("invalid", None)
    names = {n for choice in rules.choices(shape.part) for n in choice.get("required", [])}
    body = rules.good_document(shape.part)
    both = dict(body, **{n: rules.good_value(shape.part["properties"][n]) for n in names})
    if names and not schema_takes(shape.part, both):
        members = [(n, json.dumps(v, ensure_ascii=False)) for n, v in both.items()]
        yield shape.way, shape.name, shape.message(members), ("invalid", None)


# ---- bytes ---------------------------------------------------------------------------------------
def byte_faults(good):
    """The message, spoilt as a whole."""
    yield b""
    yield b"\xef\xbb\xbf" + good
    yield good + b" x"
    yield good + good
    yield good + b"\0"
    yield b"\0" + good
    yield good[:-1] + b",}"
    yield good.replace(b"{", b"{,", 1)
    yield good.replace(b":", b"=", 1)
    yield good.replace(b'"', b"'")
    yield b"[" + good + b"]"
    yield b"/* hi */" + good
    yield good[:-1] + b"// hi\n}"
    yield good.decode("utf-8").encode("utf-16")
    yield good.replace(b'"', b'"\xc0\xaf', 3)
    yield good.replace(b'"}', b'\xff"}', 1) if b'"}' in good else good + b"\xff"
    yield good[:-1] + b',"x":"\xed\xa0\x80"}'
    yield good[:-1] + b',"x":"\xf4\x90\x80\x80"}'
    yield good[:-1] + b',"x":"\xe6\xb5"}'
    yield good[:-1] + b',"x":"\x01"}'
    yield good[:-1] + b',"x":"\\x41"}'
    yield good[:-1] + b',"x":"\\u12"}'
    yield good[:-1] + b',"x":' + b"[" * 9 + b"]" * 9 + b"}"
    yield good[:-1] + b',"x":[' + b",".join([b"1"] * 5000) + b"]}"
    yield good[:-1] + b',"x":"' + b"y" * 17000 + b'"}'
    yield b" " * 16384 + good
    for cut in range(1, len(good), max(1, len(good) // 6)):
        yield good[:cut]


def huge_cases():
    """A megabyte, here and there."""
    good = b'{"rid":"r-1","x":'
    for way, name in (("R", "whoami"), ("R", "admin.put"), ("F", "slot")):
        for text in (b"[" * (1 << 20), b'{"a":' * (1 << 18), b'"' + b"\\" * (1 << 20),
                     b"9" * (1 << 20), b'"' + b"\xe6\xb5\xae" * (1 << 18)):
            yield way, name, good + text, ("invalid", None)


def byte_cases():
    operations, facts = rules.operations()
    for way, names, stem in (("R", operations, "request."), ("F", facts, "fact.")):
        for name in names:
            part = rules.schema(stem + name)
            body = rules.good_document(part) if name not in (
                "admin.put", "admin.drop", "calendar.put") else {"rid": "r-1"}
            good = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            for spoilt in byte_faults(good):
                yield way, name, spoilt, ("invalid", None)
    for name in ("parking.fly", "admin", "PARKING.BOOK", "parking.book.now", "x" * 200):
        yield "R", name, b'{"rid":"r-1"}', ("unknown_op", ("",))
    for name in ("dance", "HELLO", "plates"):
        yield "F", name, b'{"boot":1,"seq":1}', ("unknown_op", None)


# ---- times that the engine judges: it is Monday, 2019-05-20, 06:00 ------------------------------
def decided_cases():
    def span(start, end):
        return '"start":"%s+08:00","end":"%s+08:00"' % (start, end)

    rows = [
        ("2019-05-20T05:00", "2019-05-20T07:00", ("invalid", ("in_the_past",))),
        ("2018-05-20T10:00", "2018-05-20T11:00", ("invalid", ("in_the_past",))),
        ("1970-01-02T00:00", "1970-01-02T01:00", ("invalid", ("in_the_past",))),
        ("2019-05-20T10:00", "2019-05-20T10:00", ("invalid", ("ends_before_start",))),
        ("2019-05-20T11:00", "2019-05-20T10:00", ("invalid", ("ends_before_start",))),
        ("2019-05-21T11:00", "2019-05-20T10:00", ("invalid", ("ends_before_start",))),
        ("2019-07-20T10:00", "2019-07-20T11:00", ("invalid", ("beyond_horizon",))),
        ("2029-05-20T10:00", "2029-05-20T11:00", ("invalid", ("beyond_horizon",))),
        ("9999-12-31T10:00", "9999-12-31T11:00", ("invalid", ("beyond_horizon",))),
    ]
    head = '{"rid":"r-1","expires":"2030-01-01T00:00:00Z","zone":"A","plate":"浙FA1234",%s}'
    read = '{"rid":"r-1","zone":"A",%s}'
    for user in ("1", "8"):
        book = head.replace("%s", '"for":"3-2-501",%s') if user == "1" else head
        for start, end, expected in rows:
            for op, form in (("parking.book", book), ("parking.quote", read)):
                yield "E", user + " " + op, (form % span(start, end)).encode(), expected
        long = span("2019-05-20T10:00", "2019-05-21T11:00")
        yield "E", user + " parking.book", (book % long).encode(), ("invalid", ("too_long",))
    form = '{"rid":"r-1","expires":"2030-01-01T00:00:00Z","slot":"A-017",%s}'
    for start, end in (("2019-05-19T08:00", "2019-05-19T10:00"),
                       ("2018-05-19T08:00", "2018-05-19T10:00"),
                       ("2019-05-20T10:00", "2019-05-20T08:00"),
                       ("2019-05-20T10:00", "2019-05-20T10:00"),
                       ("1970-01-01T08:00", "1970-01-01T09:00")):
        text = form % span(start, end)
        yield "E", "1 share.recall", text.encode(), ("invalid", None)
        once = text.replace('"slot"', '"kind":"once","slot"')
        yield "E", "1 share.open", once.encode(), ("invalid", None)
    for op, members in (("parking.cancel", '"booking":999999'), ("parking.leave", '"booking":7'),
                        ("share.close", '"window":999'), ("incident.close", '"incident":5'),
                        ("parking.extend", '"booking":3,"end":"2019-05-20T10:00Z"')):
        text = '{"rid":"r-1","expires":"2030-01-01T00:00:00Z",%s}' % members
        yield "E", "1 " + op, text.encode(), ("not_found", None)
    for op in ("gate.open", "admin.put", "share.blackout", "backup.start", "clock.accept"):
        body = {"gate.open": '"lane":"G1-in"', "share.blackout": '"zone":"A",' + span(
            "2019-05-20T08:00", "2019-05-20T09:00"), "admin.put":
            '"rows":[{"is":"setting","key":"grant_min","value":1}]'}.get(op)
        text = '{"rid":"r-1","expires":"2030-01-01T00:00:00Z"%s}' % ("," + body if body else "")
        for user in ("8", "7", "0"):  # a resident, nobody, none
            yield "E", user + " " + op, text.encode(), ("not_authorized", None)


def protocol_cases():
    for shape in shapes():
        yield from member_cases(shape)
        yield from object_cases(shape)
    yield from byte_cases()
    yield from huge_cases()
    yield from decided_cases()
