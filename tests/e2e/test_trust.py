#!/usr/bin/python3
"""Stock MQTT clients try what they may not. The broker's files come from the daemon's database; who
a message is from stands in its topic, and what that one may do is decided at each request."""
import json
import subprocess
import sys
import time

from harness import (DOMAIN, QUIET_S, RES_PLATE, Client, Failed, Tide, check, civil, equal, expect,
                     items, password_hash, real_time, round_up, run_tests, shared, test, wait_for)

tide = shared(lambda: Tide(scale=60, start_at="2019-05-20T08:00+08:00").import_neighbourhood())


def publish(user, topic, body, version="5"):
    """mosquitto_pub at QoS 1; returns what it says (MQTT 5 tells a refusal)."""
    argv = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(tide().broker.port), "-u", user, "-P",
            tide().secrets[user], "-V", version, "-q", "1", "-t", topic, "-m", json.dumps(body)]
    done = subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=20, check=False)
    return done.stdout


def request_as(user, op, **members):
    body = {"rid": "spoofed-1", "expires": real_time(60)}
    body.update(members)
    return "tide/1/%s/u/%s/req/%s" % (DOMAIN, user, op), body


def refused_login(user, secret, version=5):
    """Whether the broker refuses this login."""
    client = Client(tide(), user, secret, version=version, topics=[])
    try:
        client.connect(2)
        return False
    except Failed:
        return True
    finally:
        client.close()


@test
def nobody_enters_without_a_secret():
    check(refused_login("res1", "wrong"), "a wrong secret is taken")
    check(refused_login("nobody", ""), "an unknown user is taken")
    check(refused_login("", "", version=3), "anonymous is taken")
    check(refused_login("tided", "tided"), "the daemon's account has a guessable secret")


@test
def a_user_cannot_write_as_another():
    owner = tide().client("owner1")
    before = tide().events()
    topic, body = request_as("owner1", "share.recall", slot="A-001")
    check("ot authorized" in publish("res1", topic, body), "MQTT 5 is not told of the refusal")
    publish("res1", topic, body, "311")
    time.sleep(QUIET_S)
    check(owner.find("/res/spoofed-1") is None, "the owner got an answer to another's request")
    equal(tide().events(), before, "events in the journal")


@test
def nobody_writes_replies_or_public_state():
    res1 = tide().client("res1")
    for topic in ("tide/1/%s/u/res1/res/forged" % DOMAIN, "tide/1/%s/u/res1/inbox" % DOMAIN,
                  "tide/1/%s/pub/zone/A" % DOMAIN, "tide/1/sys/n1",
                  "tide/1/%s/gw/gw1/down/command" % DOMAIN):
        check("ot authorized" in publish("res1", topic, {"forged": 1}), "%s was taken", topic)
        check("ot authorized" in publish("admin", topic, {"forged": 1}), "%s was taken", topic)
    time.sleep(QUIET_S)
    check(res1.find("", lambda body: "forged" in body) is None, "a forged message came through")


@test
def a_subscriber_to_everything_sees_only_his_own():
    spies = [tide().new_client("res1", topics=[topic], version=version) for version in (3, 5)
             for topic in ("#", "tide/#", "$share/g/#", "tide/1/%s/u/+/res/#" % DOMAIN,
                           "tide/1/%s/u/owner1/#" % DOMAIN, "+/+/+/gw/#")]
    owner, guard, gateway = (tide().client(user) for user in ("owner1", "guard1", "gw1"))
    expect(owner.ask("account.read"), "ok")
    expect(guard.ask("gate.open", lane="G1-in", plate=RES_PLATE), "ok")
    gateway.fact("hello", {}, seq=0)
    expect(tide().client("res1").ask("whoami"), "ok")
    spies[0].wait_message("", lambda body: any(row.get("is") == "whoami"
                                              for row in body.get("items", [])))
    time.sleep(QUIET_S)
    for spy in spies:
        with spy.turn:
            topics = {message[0] for message in spy.messages}
        strange = [topic for topic in topics
                   if not topic.startswith(("tide/1/%s/u/res1/" % DOMAIN,
                                            "tide/1/%s/pub/" % DOMAIN, "tide/1/sys/"))]
        check(not strange, "%r saw %r", spy.topics, strange)
        spy.close()


@test
def a_gateway_is_no_person_and_a_person_no_gateway():
    gateway, res1 = tide().client("gw1"), tide().client("res1")
    check("ot authorized" in publish("gw1", *request_as("res1", "whoami")), "gateway wrote as res1")
    topic = "tide/1/%s/gw/gw1/up/plate" % DOMAIN
    fact = {"boot": 1, "seq": 1, "lane": "G1-in", "plate": RES_PLATE, "dir": "in", "ask": 1}
    check("ot authorized" in publish("res1", topic, fact), "a person wrote as the gateway")
    # Its own request topic is open to it by pattern, but the engine knows what it is.
    spy = tide().new_client("gw1", topics=["tide/1/%s/u/gw1/res/#" % DOMAIN], gateway=False)
    reply = spy.request("gate.open", {"lane": "G1-in", "plate": RES_PLATE})
    expect(reply, "not_authorized")
    reply = spy.request("parking.list", {})
    expect(reply, "not_authorized")
    # And a person's facts under his own gw/ topic are nobody's facts.
    passages = tide().rows("SELECT count(*) FROM passage")
    publish("res1", "tide/1/%s/gw/res1/up/plate" % DOMAIN, fact)
    time.sleep(QUIET_S + 1)  # the tables follow within a second
    equal(tide().rows("SELECT count(*) FROM passage"), passages, "passages")
    check(gateway.find("/down/command", lambda body: body.get("ask") == 1) is None, "a gate opened")
    check(res1.find("/down/") is None, "commands for a person")


@test
def a_gateway_reports_only_its_own_lanes():
    secret = tide().secrets["gw2"] = "secret-of-gw2"
    tide().gateways.add("gw2")
    tide().put([{"is": "user", "user": "gw2", "person": "gate/1", "kind": "gateway",
                 "credential": password_hash(secret)}])
    tide().wait_login("gw2")
    other = tide().client("gw2")
    other.fact("plate", {"lane": "G1-in", "plate": RES_PLATE, "dir": "in", "ask": 5})
    other.fact("hello", {}, seq=0)
    time.sleep(QUIET_S)
    for client in (other, tide().client("gw1")):
        check(client.find("/down/command", lambda body: body.get("ask") == 5
                          and body.get("kind") == "open") is None, "a foreign gateway opened")


@test
def a_new_user_works_after_the_reload():
    tide().secrets["new1"] = "secret-of-new1"
    admin = tide().client("admin")
    reply = admin.ask("admin.put", rows=[{"is": "user", "user": "new1", "person": "3-2-503/1",
                                          "kind": "app",
                                          "credential": password_hash("secret-of-new1")}])
    expect(reply, "ok")
    began = time.monotonic()
    tide().wait_login("new1")
    check(time.monotonic() - began < 3, "the broker took %.1f s", time.monotonic() - began)
    me = items(expect(tide().client("new1").ask("whoami"), "ok"), "whoami")[0]
    equal(me["person"], "3-2-503/1", "person")


@test
def a_changed_secret_replaces_the_old_one():
    tide().put([{"is": "user", "user": "new1", "person": "3-2-503/1", "kind": "app",
                 "credential": password_hash("another-secret")}])
    wait_for(lambda: not refused_login("new1", "another-secret"), "the new secret works", 5, 0.1)
    check(refused_login("new1", "secret-of-new1"), "the old secret still works")
    tide().secrets["new1"] = "another-secret"


@test
def a_revoked_user_is_cut_and_stays_out():
    victim = tide().new_client("new1")
    expect(victim.ask("whoami"), "ok")
    cuts = victim.cut
    expect(tide().client("admin").ask("admin.drop", row={"is": "user", "user": "new1"}), "ok")
    victim.wait(lambda: victim.cut > cuts, "the live session is cut", 5)
    wait_for(lambda: refused_login("new1", tide().secrets["new1"]), "he stays out", 5, 0.2)
    victim.close()
    time.sleep(1.2)  # paho of a live client would come back by now
    check(not victim.connected, "he is back")


@test
def secrets_are_nowhere_in_replies():
    reply = expect(tide().client("admin").ask("person.export", person="3-2-502/1"), "ok")
    text = json.dumps(reply)
    check("$7$" not in text and "secret" not in text, "a credential in a reply: %s", text[:300])


@test
def each_op_has_its_roles():
    now = round_up(tide().now())
    span = {"start": civil(now), "end": civil(now.replace(hour=23, minute=0))}
    refused = [
        ("res1", "admin.put", {"rows": [{"is": "place", "place": "x", "kind": "household",
                                         "parent": "3-2"}]}),
        ("guard1", "admin.put", {"rows": [{"is": "place", "place": "x", "kind": "household",
                                           "parent": "3-2"}]}),
        ("res1", "admin.drop", {"row": {"is": "user", "user": "guard1"}}),
        ("res1", "gate.open", {"lane": "G1-in"}),
        ("res1", "sheet.read", {"zone": "A"}),
        ("res1", "incident.list", {}),
        ("res1", "incident.close", {"incident": 1}),
        ("res1", "person.export", {"person": "3-2-501/1"}),
        ("guard1", "person.export", {"person": "3-2-501/1"}),
        ("res1", "person.forget", {"person": "3-2-501/1"}),
        ("res1", "person.correct", {"person": "3-2-501/1", "full_name": "某人"}),
        ("res1", "share.blackout", dict(span, zone="A")),
        ("res1", "calendar.put", {"year": 2019, "days": []}),
        ("clerk1", "backup.start", {}),
        ("res1", "backup.start", {}),
        ("res1", "clock.accept", {}),
        ("res1", "parking.list", {"for": "3-2-501"}),
        ("res1", "account.read", {"for": "3-2-501"}),
        ("res1", "share.open", dict(span, slot="A-001", kind="once")),
        ("res1", "share.recall", dict(span, slot="A-001")),
    ]
    before = tide().events()
    for user, op, members in refused:
        reply = tide().client(user).request(op, members)
        check(reply["code"] == "not_authorized", "%s %s: %r", user, op, reply)
    allowed = [
        ("guard1", "gate.open", {"lane": "G1-in", "plate": RES_PLATE}),
        ("property1", "incident.list", {}),
        ("committee1", "share.blackout", dict(span, zone="H")),
        ("clerk1", "person.export", {"person": "3-2-501/1"}),
        ("clerk1", "parking.list", {"for": "3-2-501"}),
        ("owner1", "account.read", {}),
    ]
    equal(tide().rows("SELECT count(*) FROM place WHERE id > 0")[0][0],
          tide().rows("SELECT count(*) FROM place")[0][0], "places")
    middle = tide().events()
    check(middle - before <= len(refused), "refusals wrote %d events", middle - before)
    for user, op, members in allowed:
        expect(tide().client(user).request(op, members), "ok")


@test
def roles_end_with_their_row():
    admin = tide().client("admin")
    expect(admin.ask("admin.drop", row={"is": "role", "person": "guard/1", "role": "guard",
                                        "place": "lidu"}), "ok")
    expect(tide().client("guard1").ask("gate.open", lane="G1-in"), "not_authorized")
    tide().put([{"is": "role", "person": "guard/1", "role": "guard", "place": "lidu"}])
    expect(tide().client("guard1").ask("gate.open", lane="G1-in"), "ok")


if __name__ == "__main__":
    sys.exit(run_tests())
