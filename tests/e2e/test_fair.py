#!/usr/bin/python3
"""Fairness, as people meet it in tidectl: who waits and how it goes on, caps, strikes that are
contested and decided by somebody else, their history page by page.

The day is 2019-05-20, a Monday; a second is four minutes. In zone H cars are told of by hand."""
import datetime
import re
import sys

from harness import (Tide, check, civil, equal, expect, has, items, round_up, run_tests, shared,
                     test, wait_for)

MINUTE = datetime.timedelta(minutes=1)
HOUR = 60 * MINUTE

SETTINGS = {"overstay_grace_min": 0, "wait_confirm_min": 12, "rules_text_version": 0}
tide = shared(lambda: prepared(
    Tide(scale=240, start_at="2019-05-20T08:00+08:00").import_neighbourhood()))


def prepared(made):
    made.put([{"is": "setting", "key": key, "value": value} for key, value in SETTINGS.items()])
    return made


def say(user, *words, **more):
    return tide().tidectl(user, *words, **more)


def book(user, plate, start, minutes, zone, **more):
    return expect(tide().client(user).ask(
        "parking.book", plate=plate, zone=zone, start=civil(start),
        end=civil(start + minutes * MINUTE), **more), "ok")["id"]


INBOX = {}


def told(user, kind):
    """The notices of this kind that a user has; an answer holds so many, the next goes on."""
    rows = INBOX.setdefault(user, [])
    while True:
        reply = expect(tide().client(user).ask(
            "inbox.read", after=rows[-1]["notice"] if rows else 0), "ok")
        rows += items(reply, "notice")
        if not reply.get("more"):
            return [row for row in rows if row["kind"] == kind]


def span(start, minutes):
    return ["--from", start.strftime("%Y-%m-%d %H:%M"),
            "--until", (start + minutes * MINUTE).strftime("%Y-%m-%d %H:%M")]


def number_in(text, pattern):
    found = re.search(pattern, text)
    check(found, "no %r in %r", pattern, text)
    return int(found.group(1))


# ---- who waits ----------------------------------------------------------------------------------


@test
def who_waits_is_told_where_he_stands():
    start = round_up(tide().now() + 6 * HOUR, 60)
    taken = [book("clerk1", "浙F7100%d" % i, start, 120, "H", for_="3-2-503") for i in (1, 2)]
    words = say("res1", "wait", "浙F81001", "--zone", "H", *span(start, 60))
    has(words, "You wait now, number ", "position")
    words = say("owner1", "wait", "浙F82001", "--zone", "H", *span(start, 60), lang="zh_CN.UTF-8")
    has(words, "已候补", "排位")
    rows = items(tide().client("owner1").ask("parking.list"), "wait_place")
    equal([row["position"] for row in rows], [2], "the second")
    check("chance_pct" not in rows[0], "a chance of nothing known: %r", rows)
    has(say("res1", "wait", "浙F81002", "--zone", "H", *span(start + 5 * HOUR, 60), code=1),
        "fits_now", "tidectl book")
    has(say("res1", "unwait", rows[0]["waiting"], code=1), "not_yours")
    expect(tide().client("clerk1").ask("parking.cancel", booking=taken[0]), "ok")


@test
def what_is_not_confirmed_passes_on():
    booking = wait_for(lambda: told("res1", "wait_offered"), "res1 is offered it")[0]["booking"]
    has(say("owner1", "confirm", booking, code=1), "not_yours")
    mine = wait_for(lambda: told("owner1", "wait_offered"), "it goes on to owner1", step=0.1)[0]
    equal([row["booking"] for row in told("res1", "wait_passed")], [booking], "passed on")
    has(say("owner1", "confirm", mine["booking"], lang="zh_CN.UTF-8"), "已确认", "浙F82001")
    has(say("owner1", "confirm", mine["booking"], code=1), "duplicate")
    has(say("res1", "confirm", booking, code=1), "already_ended")
    has(say("res1", "inbox"), "tidectl confirm")


# ---- caps ---------------------------------------------------------------------------------------


@test
def caps_are_told_with_what_is_left():
    start = round_up(tide().now() + 26 * HOUR, 60)
    for key, minutes, code, zh in (("household_day_max_min", 120, "day_cap", "本户当日可约"),
                                   ("household_month_max_min", 240, "month_cap", "本户当月可约")):
        say("committee1", "setting", "set", key, minutes)
        words = say("res1", "book", "浙F81003", "--zone", "A", *span(start, 300), code=1,
                    lang="zh_CN.UTF-8")
        has(words, code, zh, "前离开即可", "上限为 %d" % minutes, "还剩")
        has(say("res1", "wait", "浙F81003", "--zone", "A", *span(start, 300), code=1), code)
        say("committee1", "setting", "set", key, 0)


# ---- strikes ------------------------------------------------------------------------------------


@test
def a_strike_of_who_agreed_to_nothing_is_void():
    """More of them than one answer holds: nobody comes for 34 promises of five minutes."""
    client = tide().client("res1")
    for first in (0, 17):
        start = round_up(tide().now() + 5 * MINUTE)
        sent = [client.send("parking.book", {
            "plate": "浙F5%04d" % i, "zone": "A", "start": civil(start), "visitor": True,
            "end": civil(start + 5 * MINUTE)}) for i in range(first, first + 17)]
        for rid in sent:
            expect(client.reply(rid), "ok")
        wait_for(lambda count=first + 17: len(told("res1", "no_show")) == count,
                 "all are given back", step=0.1)
    has(say("res1", "strike", "list"), "Nothing is held against anybody")
    words = wait_for(lambda: [text for text in [say("res1", "strike", "history")]
                              if "--before" in text], "a page is full", step=0.3)[0]
    equal(words.count("void"), 32, "strikes on a page")
    last = number_in(words, r"There is more: --before (\d+)")
    rest = say("res1", "strike", "history", "--before", last)
    equal((rest.count("void"), "--before" in rest), (last - 1, False), "the rest: %s" % rest)
    has(say("owner1", "strike", "history", lang="zh_CN.UTF-8"), "没有违规记录")


def overstay(user, plate, leaver=None):
    """A car is there for five minutes that were promised, and some more; the strike's number."""
    before = {row["strike"] for row in told(user, "strike_made")}
    booking = book(user, plate, round_up(tide().now() + 5 * MINUTE), 5, "H", visitor=True)
    has(say(user, "arrive", booking), "Welcome")
    wait_for(lambda: told(user, "overstay") and told(user, "overstay")[-1]["booking"] == booking,
             "it stays too long", step=0.1)
    say(leaver or user, "leave", booking)
    made = [row for row in told(user, "strike_made") if row["strike"] not in before]
    equal(len(made), 1, "strikes: %r" % made)
    return made[0]["strike"]


@test
def a_strike_is_contested_and_decided_by_somebody_else():
    say("committee1", "setting", "set", "rules_text_version", 1)
    has(say("res1", "rules", "accept", 1), "Accepted")
    strike = overstay("res1", "浙F81004")
    has(say("res1", "strike", "list"), str(strike), "overstay", "pending")
    has(say("committee1", "strike", "decide", strike, "void", code=1), "too_early")
    has(say("owner1", "strike", "contest", strike, code=1), "not_yours")
    has(say("res1", "strike", "contest", strike, lang="zh_CN.UTF-8"), "已申诉")
    has(say("res1", "strike", "contest", strike, code=1), "duplicate")
    for user in ("res1", "guard1"):
        has(say(user, "strike", "decide", strike, "void", code=1), "You may not do this")
    has(say("committee1", "strike", "list", "--zone", "H"), str(strike), "contested")
    has(say("committee1", "inbox"), "Strike %d is contested" % strike)
    has(say("committee1", "strike", "decide", strike, "void"), "Decided")
    has(say("committee1", "strike", "decide", strike, "void", code=1), "already_ended")
    equal(len(told("res1", "strike_decided")), 1, "he is told")
    rows = items(tide().client("res1").ask("account.read"), "account")
    equal(rows[0].get("pending_min", 0), 0, "pending minutes")


@test
def who_reported_it_does_not_decide_it():
    strike = overstay("res1", "浙F81005", leaver="property1")
    say("res1", "strike", "contest", strike)
    has(say("property1", "strike", "decide", strike, "upheld", code=1, lang="zh_CN.UTF-8"),
        "当事人及举报人不得裁定")
    has(say("committee1", "strike", "decide", strike, "upheld"), "Decided")
    rows = items(expect(tide().client("res1").ask("strike.list"), "ok"), "strike")
    equal([(row["strike"], row["state"]) for row in rows], [(strike, "upheld")], "it counts")
    check(rows[0]["charged_min"] > 0, "nothing was charged: %r", rows)
    say("committee1", "setting", "set", "strikes_max", 1)
    start = round_up(tide().now() + 5 * HOUR)
    words = say("res1", "book", "浙F81006", "--zone", "A", *span(start, 30), code=1,
                lang="zh_CN.UTF-8")
    has(words, "strikes", "只能预约即将开始的时段", "起可约")


@test
def the_journal_holds_all_of_it():
    tide().stop()
    code, words = tide().verify()
    equal(code, 0, words)


if __name__ == "__main__":
    sys.exit(run_tests())
