#!/usr/bin/python3
"""Bad input, one row a fault: the code it gets, the place that is named, and nothing changed."""
import datetime
import json
import sys
import time

from harness import (DOMAIN, QUIET_S, RES_PLATE, Tide, check, civil, equal, expect, items,
                     real_time, round_up, run_tests, shared, test, wait_for)

SECRETS = ["浙FA1234", "浙FB5678", "13857312345", "13857354321", "陈明远"]

tide = shared(lambda: Tide().import_neighbourhood())


def times(start_hours, end_hours):
    now = round_up(datetime.datetime.now(datetime.timezone.utc))
    return {"start": civil(now + datetime.timedelta(hours=start_hours)),
            "end": civil(now + datetime.timedelta(hours=end_hours))}


def good(**changes):
    """A booking that would be taken, but for the changes; None takes a member out."""
    body = dict(times(3, 4), plate=RES_PLATE, zone="A")
    body.update(changes)
    return {name: value for name, value in body.items() if value is not None}


def unchanged(before):
    """The engine's counts and the journal are as they were."""
    equal(state(), before, "state")


def state():
    status = items(expect(tide().client("admin").ask("status.read"), "ok"), "status")[0]
    status.pop("now", None)
    return tide().events(), status


LONG = "x" * 65
# what, op, members, code, the path that the reply names (None: not looked at)
MEMBERS = [
    ("no plate", "parking.book", good(plate=None), "invalid", "plate"),
    ("no start", "parking.book", good(start=None), "invalid", "start"),
    ("an unknown member", "parking.book", good(colour="red"), "invalid", "colour"),
    ("a plate that is none", "parking.book", good(plate="HELLO"), "invalid", "plate"),
    ("an empty plate", "parking.book", good(plate=""), "invalid", "plate"),
    ("a plate with a line break", "parking.book", good(plate="浙F\nA1234"), "invalid", "plate"),
    ("a plate as a number", "parking.book", good(plate=12345), "invalid", "plate"),
    ("an unknown zone", "parking.book", good(zone="Z"), "not_found", "zone"),
    ("a zone too long", "parking.book", good(zone=LONG), None, "zone"),
    ("a time that is none", "parking.book", good(start="tomorrow"), "invalid", "start"),
    ("a time without a zone", "parking.book", good(start="2019-05-20T18:00"), "invalid", "start"),
    ("the 30th of February", "parking.book", good(start="2030-02-30T18:00+08:00"), "invalid",
     "start"),
    ("25 o'clock", "parking.book", good(start="2030-03-01T25:00+08:00"), "invalid", "start"),
    ("a time as a number", "parking.book", good(start=1558346400000), "invalid", "start"),
    ("an unknown class", "parking.book", good(cls="huge"), "invalid", "cls"),
    ("a flag as a word", "parking.book", good(visitor="yes"), "invalid", "visitor"),
    ("an unknown way", "parking.book", good(via="pigeon"), "invalid", "via"),
    ("an unknown party", "parking.book", good(**{"for": "9-9-999"}), "not_found", "for"),
    ("null", "parking.book", good(plate=RES_PLATE, zone="A", cls=0), "invalid", "cls"),
    ("a booking that is no number", "parking.cancel", {"booking": "twelve"}, "invalid", "booking"),
    ("a fraction", "parking.cancel", {"booking": 1.5}, "invalid", "booking"),
    ("a negative id", "parking.cancel", {"booking": -1}, "invalid", "booking"),
    ("an id beyond 32 bits", "parking.cancel", {"booking": 1 << 40}, "invalid", "booking"),
    ("an unknown booking", "parking.cancel", {"booking": 999999}, "not_found", None),
    ("nothing to cancel", "parking.cancel", {}, "invalid", None),
    ("days that are none", "parking.repeat", {"plate": RES_PLATE, "zone": "A", "days": ["feast"],
                                              "opens": "08:00", "closes": "09:00"}, "invalid",
     "days"),
    ("opening at 48:00", "parking.repeat", {"plate": RES_PLATE, "zone": "A", "days": ["workday"],
                                            "opens": "48:00", "closes": "09:00"}, "invalid",
     "opens"),
    ("a wish without a nonce", "draw.ask", good(nonce_1="0" * 16), "invalid", "nonce_2"),
    ("a nonce too short", "draw.ask", good(nonce_1="0" * 15, nonce_2="0" * 16), "invalid",
     "nonce_1"),
    ("a nonce in capitals", "draw.ask", good(nonce_1="A" * 16, nonce_2="0" * 16), "invalid",
     "nonce_1"),
    ("a nonce as a number", "draw.ask", good(nonce_1="0" * 16, nonce_2=17), "invalid", "nonce_2"),
    ("a wish in an unknown zone", "draw.ask",
     good(zone="Z", nonce_1="0" * 16, nonce_2="0" * 16), "not_found", "zone"),
    ("a wish that is no number", "draw.withdraw", {"wish": "seven"}, "invalid", "wish"),
    ("wish nought", "draw.withdraw", {"wish": 0}, "invalid", "wish"),
    ("a draw by a resident", "draw.open", {"zone": "A"}, "not_authorized", None),
    ("a value by a resident", "draw.value", {"draw": 1, "value": 5}, "not_authorized", None),
    ("a proof of no draw", "draw.proof", {"draw": -1}, "invalid", "draw"),
    ("a proof from nowhere", "draw.proof", {"draw": 1, "after_wish": "x"}, "invalid",
     "after_wish"),
    ("a strike that is no number", "strike.contest", {"strike": "five"}, "invalid", "strike"),
    ("a verdict by a resident", "strike.decide", {"strike": 1, "verdict": "void"},
     "not_authorized", None),
    ("an unknown strike", "strike.contest", {"strike": 999999}, "not_found", None),
    ("draws of two parties", "draw.list", {"for": "3-2-502", "household": "3-2-502"}, "invalid",
     None),
    ("an unknown slot", "share.open", dict(times(3, 4), slot="A-999", kind="once"), "not_found",
     "slot"),
]
# What the engine finds: code and why.
DECIDED = [
    ("a start in the past", good(**times(-3, 1)), "in_the_past"),
    ("beyond the horizon", good(**times(24 * 40, 24 * 40 + 1)), "beyond_horizon"),
    ("ends before it starts", good(**times(4, 3)), "ends_before_start"),
    ("ends when it starts", good(**times(4, 4)), "ends_before_start"),
    ("longer than allowed", good(**times(3, 3 + 25)), "too_long"),
]
# Bytes that are no request at all.
RAW = [
    ("nothing", b""),
    ("no JSON", b"hello"),
    ("half an object", b'{"rid":"raw-%d","plate":'),
    ("an array", b'["rid","raw-%d"]'),
    ("a number", b"42"),
    ("two objects", b'{"rid":"raw-%d"}{"rid":"raw"}'),
    ("words after it", b'{"rid":"raw-%d"} x'),
    ("bad UTF-8", b'{"rid":"raw-%d","plate":"\xff\xfe\xfd"}'),
    ("a lone surrogate", b'{"rid":"raw-%d","plate":"\\ud800"}'),
    ("an overlong slash", b'{"rid":"raw-%d","plate":"\xc0\xaf"}'),
    ("a NUL", b'{"rid":"raw-%d","plate":"a\\u0000b"}'),
    ("a raw NUL", b'{"rid":"raw-%d","plate":"a\x00b"}'),
    ("twice the same member", b'{"rid":"raw-%d","zone":"A","zone":"B"}'),
    ("two rids", b'{"rid":"raw-%d","rid":"raw-0"}'),
    ("too deep", b'{"rid":"raw-%d","plate":' + b"[" * 64 + b"]" * 64 + b"}"),
    ("much too deep", b'{"rid":"raw-%d","plate":' + b"[" * 15000),
    ("a huge number", b'{"rid":"raw-%d","booking":1e999}'),
    ("many digits", b'{"rid":"raw-%d","booking":' + b"9" * 400 + b"}"),
    ("NaN", b'{"rid":"raw-%d","booking":NaN}'),
    ("hexadecimal", b'{"rid":"raw-%d","booking":0x10}'),
    ("a comment", b'{"rid":"raw-%d"/* hi */}'),
    ("single quotes", b"{'rid':'raw-%d'}"),
    ("a trailing comma", b'{"rid":"raw-%d",}'),
    ("many members", b'{"rid":"raw-%d"' + b"".join(b',"m%d":1' % n for n in range(900)) + b"}"),
    ("a byte order mark", b'\xef\xbb\xbf{"rid":"raw-%d"}'),
    ("oversize", b'{"rid":"raw-%d","plate":"' + b"x" * 20000 + b'"}'),
]
RIDS = ["", "a b", "a/b", "#", "+", "x" * 37, "rid\u0000", "潮", 7, None, ["r"], {"r": 1}]


@test
def each_fault_has_its_code_and_place():
    before = state()
    for what, op, members, code, path in MEMBERS:
        reply = tide().client("res1").request(op, members)
        check(code is None or reply["code"] == code, "%s: expected %s, seen %r", what, code, reply)
        check(reply["code"] != "ok", "%s was taken: %r", what, reply)
        if path is not None and reply["code"] == "invalid":
            check(reply.get("at") == path, "%s: at %r, seen %r", what, path, reply)
            check(reply.get("detail"), "%s: no words: %r", what, reply)
    unchanged_but_decided(before)


def unchanged_but_decided(before):
    """Decided refusals are journaled (they are answers); the engine's counts stay."""
    events, status = state()
    equal(status, before[1], "the engine's counts")
    check(events - before[0] <= 3, "%d events of refused requests", events - before[0])


@test
def what_the_engine_refuses_has_a_reason():
    for what, members, why in DECIDED:
        reply = tide().client("res1").request("parking.book", members)
        check(reply["code"] not in ("ok", "busy", "unavailable"), "%s: %r", what, reply)
        equal(reply.get("why"), why, what)


@test
def bytes_that_are_no_request_change_nothing():
    res1, before = tide().client("res1"), state()
    invalid = tide().metric("tide_invalid_total")
    for number, (what, raw) in enumerate(RAW, 1):
        raw = raw.replace(b"raw-%d", b"raw-%d" % number)
        res1.send_raw("parking.book", raw)
        expect(res1.ask("account.read"), "ok")
        reply = res1.find("/res/raw-%d" % number)
        check(reply is None or reply["code"] == "invalid", "%s: %r", what, reply)
    unchanged(before)
    check(tide().metric("tide_invalid_total") >= invalid + len(RAW) - 2, "they are not counted")


@test
def a_rid_is_a_rid():
    res1, before = tide().client("res1"), state()
    with res1.turn:
        seen = len(res1.messages)
    for rid in RIDS:
        body = good()
        body["rid"], body["expires"] = rid, real_time(60)
        res1.send_raw("parking.book", json.dumps(body).encode())
    no_rid = good(expires=real_time(60))
    res1.send_raw("parking.book", json.dumps(no_rid).encode())
    expect(res1.ask("account.read"), "ok")
    unchanged(before)
    with res1.turn:
        replies = [body for topic, body, _r, _p in res1.messages[seen:] if "/res/" in topic]
    check(all(reply["code"] in ("invalid", "ok") for reply in replies), "replies: %r", replies)


@test
def a_request_needs_its_life():
    res1, before = tide().client("res1"), state()
    for expires in (None, "", "soon", 5, "2019-13-01T00:00:00Z"):
        body = good(rid="life-1")
        if expires is not None:
            body["expires"] = expires
        with res1.turn:
            seen = len(res1.messages)
        res1.send_raw("parking.book", json.dumps(body).encode())
        reply = res1.reply("life-1", start_at=seen)
        equal((reply["code"], reply.get("at")), ("invalid", "expires"), "expires %r" % expires)
    unchanged(before)


@test
def unknown_ops_and_topics():
    res1, before = tide().client("res1"), state()
    for op in ("parking.fly", "nothing", "admin", "parking.book.now", "PARKING.BOOK"):
        expect(res1.request(op, {}), "unknown_op")
    for topic in ("tide/1/%s/u/res1/req" % DOMAIN, "tide/1/%s/u/res1/req/a/b" % DOMAIN,
                  "tide/1/elsewhere/u/res1/req/whoami", "tide/2/%s/u/res1/req/whoami" % DOMAIN):
        res1.paho.publish(topic, b'{"rid":"t-1"}', 1)
    expect(res1.ask("whoami"), "ok")
    unchanged(before)


@test
def imports_are_all_or_none():
    admin, before = tide().client("admin"), state()
    place = {"is": "place", "place": "9-1-101", "kind": "household", "parent": "3-2"}
    table = [
        ([place, {"is": "place", "place": "9-1-102", "kind": "castle", "parent": "3-2"}],
         "rows[1].kind"),
        ([place, {"is": "slot", "slot": "A-900", "zone": "nowhere", "title": "owned"}],
         "rows[1].zone"),
        ([place, {"is": "dragon", "name": "x"}], "rows[1].is"),
        ([place, {"is": "place", "kind": "household", "parent": "3-2"}], "rows[1].place"),
        ([place, {"is": "setting", "key": "grant_min", "value": "much"}], "rows[1].value"),
        ([place, {"is": "user", "user": "a/b", "person": "3-2-501/1", "kind": "app"}],
         "rows[1].user"),
        ([place, {"is": "user", "user": "u9", "person": "3-2-501/1", "kind": "app",
                  "credential": "plain"}], "rows[1].credential"),
        ([place, {"is": "user", "user": "u9", "person": "3-2-501/1", "kind": "app",
                  "credential": "$7$101$a$b"}], "rows[1].credential"),
        ([place, "row"], "rows[1]"),
    ]
    for rows, path in table:
        reply = admin.ask("admin.put", rows=rows)
        check(reply["code"] in ("invalid", "not_found"), "%s: %r", path, reply)
        equal(reply.get("at"), path, "path")
    many = [dict(place, place="9-1-%03d" % n) for n in range(65)]
    check(admin.ask("admin.put", rows=many)["code"] == "invalid", "65 rows were taken")
    expect(admin.ask("admin.put", rows=[]), "invalid")
    expect(admin.ask("admin.put", rows=[place, {"is": "setting", "key": "grant_min",
                                                "value": 99999999}]), "invalid")
    after = state()
    equal(after[1], before[1], "the engine's counts")
    names = tide().rows("SELECT count(*) FROM name WHERE text LIKE '9-1-%'")[0][0]
    equal(names, 0, "names left by refused imports")


@test
def bad_facts_open_nothing():
    gateway, before = tide().client("gw1"), state()
    base = "tide/1/%s/gw/gw1/up/" % DOMAIN
    for kind, body in [
            ("plate", b"{"), ("plate", b'{"boot":1,"seq":1,"lane":"G9","plate":"x","ask":1}'),
            ("plate", b'{"boot":1,"lane":"G1-in","ask":2}'), ("slot", b'{"boot":1,"seq":1}'),
            ("slot", b'{"boot":1,"seq":1,"slot":"A-001","state":"perhaps"}'),
            ("slot", b'{"boot":-1,"seq":1,"slot":"A-001","state":"free"}'),
            ("gate", b"[]"), ("done", b'{"boot":1,"seq":1,"command":"x"}'),
            ("dance", b'{"boot":1,"seq":1}')]:
        gateway.publish(base + kind, body)
    time.sleep(QUIET_S)
    events, status = state()
    equal(status, before[1], "the engine's counts")
    check(events - before[0] <= 1, "%d events of bad facts", events - before[0])
    check(gateway.find("/down/command") is None, "a gate moved")
    gateway.hello()


@test
def a_flood_is_answered_busy_and_nothing_breaks():
    flood = Tide(conf={"user_rate_per_s": 20, "user_burst": 40}).import_neighbourhood()
    res1 = flood.client("res1")
    rids = []
    for number in range(300):
        rid = "flood-%d" % number
        res1.paho.publish(res1.request_topic("account.read"),
                          json.dumps({"rid": rid, "expires": real_time(60)}), 0)
        rids.append(rid)
    wait_for(lambda: res1.find("/res/" + rids[0]), "the first answer")
    time.sleep(1)
    codes = [reply["code"] for reply in (res1.find("/res/" + rid) for rid in rids) if reply]
    check("busy" in codes and "ok" in codes, "codes: %r", sorted(set(codes)))
    check(codes.count("ok") < 150, "%d of 300 were served at once", codes.count("ok"))
    expect(flood.client("owner1").ask("account.read"), "ok")
    time.sleep(1.5)
    expect(res1.ask("account.read"), "ok")
    flood.close()


@test
def the_log_shows_no_plate_and_no_phone():
    text = "\n".join(tide().log_lines())
    for secret in SECRETS:
        check(secret not in text, "the log has %s", secret)
    check("secret-of" not in text and "$7$" not in text, "the log has a secret")


if __name__ == "__main__":
    sys.exit(run_tests())
