#!/usr/bin/python3
"""A draw through the broker: the committee holds one, people ask, the daemon is killed in between,
who is drawn is told, and tidectl decides it anew.

The day is 2019-05-20, a Monday; a second is a minute. The draw takes wishes for 40 of these."""
import datetime
import secrets
import signal
import sys

from harness import (RES_PLATE, Tide, check, civil, equal, expect, items, round_up, run_tests,
                     shared, test, wait_for)

MINUTE = datetime.timedelta(minutes=1)
HOUR = 60 * MINUTE

tide = shared(lambda: Tide(scale=60, start_at="2019-05-20T08:00+08:00").import_neighbourhood())
SEEN = {}


def ask(user, plate, start, hours, **more):
    return tide().client(user).ask("draw.ask", plate=plate, zone="A", start=civil(start),
                                   end=civil(start + hours * HOUR), nonce_1=secrets.token_hex(8),
                                   nonce_2=secrets.token_hex(8), **more)


def draw_state(number):
    rows = tide().rows("SELECT state FROM draw WHERE id=?", number)
    return rows[0][0] if rows else None


@test
def the_committee_holds_a_draw():
    now = tide().now()
    day = round_up(now + 20 * HOUR, 5)
    reply = expect(tide().client("committee1").ask(
        "draw.open", zone="A", ask_from=civil(now - MINUTE), ask_until=civil(now + 40 * MINUTE),
        start=civil(day), end=civil(day + 10 * HOUR)), "ok")
    SEEN.update(draw=reply["id"], day=day)
    wait_for(lambda: items(tide().client("res1").ask("draw.list"), "draw")[0]["state"] == "open",
             "the draw is sealed", step=0.2)


@test
def a_wish_gets_a_receipt():
    reply = expect(ask("res1", RES_PLATE, SEEN["day"], 4), "ok")
    wish, receipt = items(reply, "wish")[0], items(reply, "receipt")[0]
    equal((wish["state"], wish["draw"]), ("waiting", SEEN["draw"]), "wish")
    SEEN.update(wish=reply["id"], leaf="".join(receipt["leaf_%d" % i] for i in (1, 2, 3, 4)))
    expect(ask("res1", RES_PLATE, SEEN["day"], 4), "conflict", "plate_overlap")
    reply = expect(ask("res1", "沪A22222", SEEN["day"] + 5 * HOUR, 2), "ok")
    expect(tide().client("res1").ask("draw.withdraw", wish=reply["id"]), "ok")
    expect(tide().client("res1").ask("draw.withdraw", wish=reply["id"]), "conflict",
           "already_ended")


@test
def nobody_books_around_it():
    reply = expect(tide().client("res1").ask(
        "parking.book", plate="沪A33333", zone="A", start=civil(SEEN["day"]),
        end=civil(SEEN["day"] + HOUR)), "conflict", "to_be_drawn")
    check("free_from" in reply, "it does not say from when on wishes are taken: %r", reply)
    expect(tide().client("res1").ask("draw.proof", draw=SEEN["draw"]), "conflict", "too_early")


@test
def it_is_decided_though_the_daemon_was_killed():
    tide().stop(signal.SIGKILL)
    tide().start()
    wait_for(lambda: draw_state(SEEN["draw"]) == 4, "the draw is decided", seconds=90, step=0.5)
    notices = items(expect(tide().client("res1").ask("inbox.read"), "ok"), "notice")
    won = [row for row in notices if row["kind"] == "draw_won"]
    check(won, "nobody was told: %r", notices)
    rows = items(expect(tide().client("res1").ask("parking.list"), "ok"), "booking")
    equal([row["booking"] for row in rows if row["plate"] == RES_PLATE], [won[0]["booking"]],
          "the booking")


@test
def the_proof_tells_no_names():
    reply = expect(tide().client("res1").ask("draw.proof", draw=SEEN["draw"]), "ok")
    draw, wishes = items(reply, "draw")[0], items(reply, "wish")
    check(all("secret_%d" % i in draw for i in (1, 2, 3, 4)), "no secret: %r", draw)
    equal([row["wish"] for row in wishes if row["state"] == "won"], [SEEN["wish"]], "served")
    for row in wishes + items(reply, "draw_span"):
        check(not {"plate", "household", "person", "by", "slot", "booking"} & set(row),
              "a proof says whose: %r", row)


@test
def an_export_has_the_wishes():
    reply = expect(tide().client("res1").ask("person.export", person="3-2-502/1"), "ok")
    mine = {row["wish"]: row["state"] for row in items(reply, "wish")}
    equal(mine.get(SEEN["wish"]), "won", "the wish in the export")


@test
def tidectl_decides_it_anew():
    words = tide().tidectl("res1", "draw", "verify", SEEN["draw"], "--leaf", SEEN["leaf"])
    equal(words.count("right"), 5, words)
    words = tide().tidectl("res1", "draw", "verify", SEEN["draw"], "--leaf", "0" * 64, code=1)
    check("WRONG  your receipt" in words, "it believes any receipt: %s", words)


if __name__ == "__main__":
    sys.exit(run_tests())
