#!/usr/bin/python3
"""The life of a booking through the broker: quote, book, list, extend, cancel, repeat, visitors,
for somebody, arriving and leaving by hand and by camera, no-show; and what it does to the accounts.

The day is 2019-05-20, a Monday and a workday; a second is a minute."""
import datetime
import sys
import threading

from harness import (OTHER_PLATE, OWNER_PLATE, RES_PLATE, STRANGER_PLATE, Tide, check,
                     civil, equal, expect, items, parse_time, round_up, run_tests, shared, test,
                     wait_for)

HOUR = datetime.timedelta(hours=1)
MINUTE = datetime.timedelta(minutes=1)

tide = shared(lambda: Tide(scale=60, start_at="2019-05-20T08:00+08:00").import_neighbourhood())


def soon(minutes=10):
    """A start some minutes ahead, on the grain."""
    return round_up(tide().now() + minutes * MINUTE)


def book(user, plate, start, hours=2.0, zone="A", **more):
    return tide().client(user).ask("parking.book", plate=plate, zone=zone, start=civil(start),
                                   end=civil(start + hours * HOUR), **more)


def listed(user, booking, **more):
    """The booking as its party's list shows it, None when it is not there."""
    reply = expect(tide().client(user).ask("parking.list", **more), "ok")
    rows = [row for row in items(reply, "booking") if row["booking"] == booking]
    return rows[0] if rows else None


def account(user="res1", **more):
    return items(expect(tide().client(user).ask("account.read", **more), "ok"), "account")[0]


def ended(booking, user="res1"):
    """The booking in the history of its household; the tables may follow a second later."""

    def look():
        reply = expect(tide().client(user).ask("parking.history"), "ok")
        return [row for row in items(reply, "booking") if row["booking"] == booking]

    return wait_for(look, "booking %d is in the history" % booking, step=0.2)[0]


@test
def whoami_tells_person_and_roles():
    reply = expect(tide().client("res1").ask("whoami"), "ok")
    me = items(reply, "whoami")[0]
    equal((me["user"], me["person"]), ("res1", "3-2-502/1"), "who")
    equal(me.get("household"), "3-2-502", "household")
    equal(reply["incarnation"], 1, "incarnation")


@test
def zones_are_listed():
    zones = items(expect(tide().client("res1").ask("parking.zones"), "ok"), "zone")
    check({"A", "B", "H"} <= {row["zone"] for row in zones}, "zones: %r", zones)


@test
def a_quote_tells_places_and_minutes():
    start = soon()
    reply = expect(tide().client("res1").ask("parking.quote", plate=RES_PLATE, zone="A",
                                             start=civil(start), end=civil(start + 2 * HOUR)), "ok")
    quote = items(reply, "quote")[0]
    equal((quote["zone"], quote["places"], quote["minutes"]), ("A", 23, 120), "quote")


@test
def a_booking_is_listed_and_holds_minutes():
    before = account()
    start = soon(60)
    booking = expect(book("res1", RES_PLATE, start), "ok")["id"]
    row = listed("res1", booking)
    check(row is not None, "the booking is not listed")
    equal((row["state"], row["plate"], row["zone"]), ("booked", RES_PLATE, "A"), "booking")
    equal((parse_time(row["start"]), parse_time(row["end"])), (start, start + 2 * HOUR), "span")
    equal((row["household"], row["by"]), ("3-2-502", "res1"), "party, typist")
    equal(account().get("held_min", 0) - before.get("held_min", 0), 120, "minutes held")
    expect(tide().client("res1").ask("parking.cancel", booking=booking), "ok")
    equal(account().get("held_min", 0), before.get("held_min", 0), "minutes held after cancelling")
    check(listed("res1", booking) is None, "a cancelled booking is still listed")
    equal(ended(booking)["state"], "cancelled", "state in the history")


@test
def cancelling_twice_is_refused():
    booking = expect(book("res1", RES_PLATE, soon(60)), "ok")["id"]
    expect(tide().client("res1").ask("parking.cancel", booking=booking), "ok")
    reply = tide().client("res1").ask("parking.cancel", booking=booking)
    check(reply["code"] in ("conflict", "not_found"), "seen %r", reply)


@test
def a_stranger_cannot_cancel_or_see_it():
    booking = expect(book("res1", RES_PLATE, soon(60)), "ok")["id"]
    reply = tide().client("owner1").ask("parking.cancel", booking=booking)
    check(reply["code"] in ("not_authorized", "not_found"), "seen %r", reply)
    check(listed("owner1", booking) is None, "a neighbour sees the booking")
    expect(tide().client("res1").ask("parking.cancel", booking=booking), "ok")


@test
def one_plate_has_one_promise_at_a_time():
    start = soon(60)
    booking = expect(book("res1", RES_PLATE, start), "ok")["id"]
    expect(book("res1", RES_PLATE, start + HOUR), "conflict", "plate_overlap")
    expect(tide().client("res1").ask("parking.cancel", booking=booking), "ok")


@test
def back_to_back_fits_and_overlap_is_full():
    """Zone H has two slots; half-open intervals touch without a clash."""
    start = soon(120)
    made = [expect(book("res1", "浙FH%04d" % i, start, 1, "H", visitor=True), "ok")["id"]
            for i in range(2)]
    reply = expect(book("res1", "浙FH0009", start + 30 * MINUTE, 1, "H", visitor=True), "full",
                   "all_taken")
    check("free_from" in reply or "free_until" in reply, "it says what would fit: %r", reply)
    made.append(expect(book("res1", "浙FH0009", start + HOUR, 1, "H", visitor=True), "ok")["id"])
    for booking in made:
        expect(tide().client("res1").ask("parking.cancel", booking=booking), "ok")


@test
def outside_the_windows_nothing_is_open():
    evening = tide().now().replace(hour=19, minute=0, second=0, microsecond=0)
    expect(book("res1", RES_PLATE, evening, 1, "B"), "full", "no_window")


@test
def a_refusal_says_what_is_in_the_way_and_each_offer_is_granted():
    start = tide().now().replace(hour=14, minute=0, second=0, microsecond=0)
    for plate in ("浙F71001", "浙F71002", "浙F71003"):
        expect(book("clerk1", plate, start, zone="B", for_="3-2-503"), "ok")
    reply = expect(book("clerk1", "浙F71004", start - HOUR, hours=3.0, zone="B", for_="3-2-503"),
                   "full", "all_taken")
    binding = items(reply, "binding")
    equal([(row["start"][11:16], row["end"][11:16], row["why"]) for row in binding],
          [("14:00", "16:00", "all_taken")], "in the way")
    offers = items(reply, "offer")
    check({"shorter", "earlier", "wait"} <= {row["kind"] for row in offers}, "offers: %r", offers)
    for offer in offers:
        if offer["kind"] == "wait":
            waits = expect(tide().client("clerk1").ask(
                "parking.wait", plate="浙F71004", for_="3-2-503", zone=offer["zone"],
                start=offer["start"], end=offer["end"]), "ok")
            equal(items(waits, "wait_place")[0]["position"], offer["position"], "position")
            expect(tide().client("clerk1").ask("parking.unwait", waiting=waits["id"]), "ok")
            continue
        again = expect(tide().client("clerk1").ask("parking.book", plate="浙F71004", for_="3-2-503",
                                                  zone=offer["zone"], start=offer["start"],
                                                  end=offer["end"]), "ok")
        expect(tide().client("clerk1").ask("parking.cancel", booking=again["id"]), "ok")


@test
def why_is_told_from_the_journal_and_names_nobody():
    start = tide().now().replace(hour=11, minute=0, second=0, microsecond=0) + 24 * HOUR
    made = expect(book("clerk1", "浙F72001", start, for_="3-2-503"), "ok")["id"]
    refused = expect(book("clerk1", "浙F72002", start + 9 * HOUR, zone="B", for_="3-2-503"), "full",
                     "no_window")
    code, out, err = tide().run("--why", str(made), seconds=60)
    check(code == 0 and "outcome: granted" in out and "约成" in out, "granted: %r %r", out, err)
    check("the same, to the byte" in out, "decided again: %r", out)
    code, asked, err = tide().run("--why", "clerk1:" + refused["rid"], seconds=60)
    check(code == 0 and "no slot was open at that time" in asked, "refused: %r %r", asked, err)
    for text in (out, asked):
        check(not any(word in text for word in ("浙F", "3-2-50", "A-0", "B-0")), "names: %r", text)
    code, out, err = tide().run("--why", "x:", seconds=60)
    equal(code, 64, "exit code")


@test
def the_tide_table_looks_two_days_ahead():
    reply = expect(tide().client("res1").ask("parking.forecast", zone="A"), "ok")
    hours = items(reply, "forecast_hour")
    equal(len(hours), 48, "hours")
    for row in hours:
        check(row["free_low"] <= row["free"] <= row["free_high"] <= row["supply"], "hour: %r", row)
    check(all(row["zone"] == "A" for row in hours), "zone A stands by itself: %r", hours[0])
    reply = expect(tide().client("res1").ask("parking.forecast", zone="B", hours=3), "ok")
    hours = items(reply, "forecast_hour")
    check(len(hours) == 3 and not any("zone" in row for row in hours),
          "a zone of three slots is told with the other small ones: %r", hours)
    reply = expect(tide().client("clerk1").ask("parking.forecast", zone="B", hours=3), "ok")
    equal(items(reply, "forecast_hour")[0]["zone"], "B", "on duty")


@test
def a_booking_crosses_midnight():
    evening = tide().now().replace(hour=22, minute=0, second=0, microsecond=0)
    booking = expect(book("res1", RES_PLATE, evening, 6), "ok")["id"]
    row = listed("res1", booking)
    equal(parse_time(row["end"]) - parse_time(row["start"]), 6 * HOUR, "length")
    expect(tide().client("res1").ask("parking.cancel", booking=booking), "ok")


@test
def it_can_be_extended_until_the_next_promise():
    start = soon(180)
    first = expect(book("res1", "浙FE0001", start, 1, "H", visitor=True), "ok")["id"]
    others = [expect(book("res1", "浙FE000%d" % n, start + 2 * HOUR, 1, "H", visitor=True),
                     "ok")["id"] for n in (2, 3)]
    res1 = tide().client("res1")
    expect(res1.ask("parking.extend", booking=first, end=civil(start + 2 * HOUR)), "ok")
    equal(parse_time(listed("res1", first)["end"]), start + 2 * HOUR, "end")
    reply = expect(res1.ask("parking.extend", booking=first, end=civil(start + 2.5 * HOUR)), "full")
    equal(parse_time(reply["free_until"]), start + 2 * HOUR, "what is possible")
    for booking in others + [first]:
        expect(res1.ask("parking.cancel", booking=booking), "ok")


@test
def a_series_books_each_workday():
    reply = expect(tide().client("res1").ask(
        "parking.repeat", plate=RES_PLATE, zone="B", days=["workday"], opens="09:00",
        closes="17:00", from_date="2019-05-21", until_date="2019-05-28"), "ok")
    series = reply["id"]
    rows = items(expect(tide().client("res1").ask("parking.list"), "ok"), "booking")
    days = sorted(row["start"][:10] for row in rows if row.get("series") == series)
    equal(days, ["2019-05-%02d" % day for day in (21, 22, 23, 24, 27, 28)], "days of the series")
    expect(tide().client("res1").ask("parking.cancel", series=series), "ok")
    rows = items(expect(tide().client("res1").ask("parking.list"), "ok"), "booking")
    check(not [row for row in rows if row.get("series") == series], "the series is still there")


@test
def a_host_books_for_a_visitor():
    booking = expect(book("res1", OTHER_PLATE, soon(60), visitor=True), "ok")["id"]
    row = listed("res1", booking)
    equal((row["plate"], row["visitor"]), (OTHER_PLATE, True), "visitor")
    expect(tide().client("res1").ask("parking.cancel", booking=booking), "ok")


@test
def the_clerk_books_for_a_household_that_phoned():
    booking = expect(book("clerk1", "浙FC0503", soon(60), for_="3-2-503", via="phone"), "ok")["id"]
    row = listed("clerk1", booking, for_="3-2-503")
    equal((row["household"], row["by"], row["via"]), ("3-2-503", "clerk1", "phone"),
          "party, typist, way")
    expect(tide().client("clerk1").ask("parking.cancel", booking=booking, via="phone"), "ok")


@test
def a_resident_cannot_book_for_others():
    reply = book("res1", RES_PLATE, soon(60), for_="3-2-503")
    expect(reply, "not_authorized")


@test
def the_party_is_told_what_the_clerk_did():
    res1 = tide().client("res1")
    booking = expect(book("clerk1", RES_PLATE, soon(60), for_="3-2-502", via="desk"), "ok")["id"]
    res1.wait_message("/inbox", lambda body: body.get("booking") == booking
                      and body.get("kind") == "booking_made")
    rows = wait_for(lambda: [row for row in items(expect(res1.ask("inbox.read", after=0), "ok"),
                                                  "notice") if row.get("booking") == booking],
                    "the notice is in the inbox", step=0.2)
    equal(rows[0]["kind"], "booking_made", "notice")
    after = rows[0]["notice"]
    left = items(expect(res1.ask("inbox.read", after=after), "ok"), "notice")
    check(all(row["notice"] > after for row in left), "read after %d gave %r", after, left)
    expect(tide().client("clerk1").ask("parking.cancel", booking=booking), "ok")
    res1.wait_message("/inbox", lambda body: body.get("booking") == booking
                      and body.get("kind") == "booking_cancelled")


@test
def an_owner_shares_and_earns():
    owner = tide().client("owner1")
    start = soon(10)
    window = expect(owner.ask("share.open", slot="A-001", kind="once", start=civil(start),
                              end=civil(start + 8 * HOUR)), "ok")["id"]
    shares = items(expect(owner.ask("share.list"), "ok"), "window")
    check(window in [row["window"] for row in shares], "the window is not listed: %r", shares)
    expect(tide().client("res1").ask("share.open", slot="A-001", kind="once", start=civil(start),
                                     end=civil(start + HOUR)), "not_authorized")
    quote = expect(owner.ask("parking.quote", zone="A", start=civil(start + HOUR),
                             end=civil(start + 2 * HOUR)), "ok")
    equal(items(quote, "quote")[0]["places"], 24, "places with the owner's slot")
    expect(owner.ask("share.recall", slot="A-001", start=civil(start + 4 * HOUR),
                     end=civil(start + 8 * HOUR)), "ok")
    quote = expect(owner.ask("parking.quote", zone="A", start=civil(start + 5 * HOUR),
                             end=civil(start + 6 * HOUR)), "ok")
    equal(items(quote, "quote")[0]["places"], 23, "places after the recall")
    expect(owner.ask("share.close", window=window), "ok")


@test
def arriving_and_leaving_by_hand_keeps_the_promise():
    res1 = tide().client("res1")
    before = account()
    start = round_up(tide().now())
    booking = expect(book("res1", OTHER_PLATE, start, 1, visitor=True), "ok")["id"]
    reply = expect(res1.ask("parking.arrive", booking=booking), "ok")
    row = listed("res1", booking)
    equal(row["state"], "parked", "state after arriving")
    check(row.get("slot"), "a parked car has a slot: %r %r", reply, row)
    expect(res1.ask("parking.arrive", booking=booking), "conflict")
    expect(res1.ask("parking.leave", booking=booking), "ok")
    equal(ended(booking)["state"], "kept", "state in the history")
    after = account()
    equal(after.get("held_min", 0), before.get("held_min", 0), "nothing is held any more")
    check(after["balance_min"] < before["balance_min"], "who parks pays: %r, %r", before, after)


@test
def who_lends_earns_what_the_parker_pays():
    """The owner's slot, open for just these hours, is the best fit: its minutes change hands."""
    owner, res1 = tide().client("owner1"), tide().client("res1")
    start = round_up(tide().now())
    window = expect(owner.ask("share.open", slot="A-001", kind="once", start=civil(start),
                              end=civil(start + HOUR)), "ok")["id"]
    before = account("owner1"), account("res1")
    booking = expect(book("res1", "浙FL0001", start, 1, visitor=True), "ok")["id"]
    wait_for(lambda: tide().now() >= start, "the window opens", step=0.2)
    expect(res1.ask("parking.arrive", booking=booking), "ok")
    equal(listed("res1", booking)["slot"], "A-001", "slot")
    expect(res1.ask("parking.leave", booking=booking), "ok")
    paid = before[1]["balance_min"] - account("res1")["balance_min"]
    earned = account("owner1")["balance_min"] - before[0]["balance_min"]
    check(paid > 0 and earned == paid, "paid %d, earned %d", paid, earned)
    expect(owner.ask("share.close", window=window), "ok")


@test
def the_camera_lets_in_residents_and_promises_only():
    gateway = tide().client("gw1")
    if not gateway.seq:
        gateway.hello()
    booking = expect(book("res1", OTHER_PLATE, round_up(tide().now()), 1, visitor=True), "ok")["id"]
    table = [(RES_PLATE, "open", "resident"), (OTHER_PLATE, "open", None),
             (STRANGER_PLATE, "deny", None)]
    for ask, (plate, kind, why) in enumerate(table, 100):
        gateway.fact("plate", {"lane": "G1-in", "plate": plate, "dir": "in", "ask": ask})
        command = gateway.wait_message("/down/command", lambda body, n=ask: body.get("ask") == n)
        equal(command["kind"], kind, "the gate for %s" % plate)
        check(why is None or command.get("why") == why, "why: %r", command)
        gateway.fact("done", {"command": command["command"], "state": "done"})
    equal(listed("res1", booking)["state"], "parked", "state after the gate")
    gateway.fact("plate", {"lane": "G1-out", "plate": OTHER_PLATE, "dir": "out", "ask": 110})
    gateway.wait_message("/down/command", lambda body: body.get("ask") == 110)
    equal(ended(booking)["state"], "kept", "state after leaving by the camera")
    seq = gateway.seq
    gateway.wait_message("/down/ack", lambda body: body["seq"] >= seq)
    log = expect(tide().client("guard1").ask("gate.log", lane="G1-in"), "ok")
    check(items(log, "passage"), "the passages are in the log: %r", log)


@test
def a_fact_said_twice_counts_once():
    gateway = tide().client("gw1")
    seq = gateway.fact("slot", {"slot": "B-001", "state": "occupied"})
    gateway.wait_message("/down/ack", lambda body: body["seq"] >= seq)
    stale = tide().metric("tide_facts_stale_total")
    gateway.fact("slot", {"slot": "B-001", "state": "free"}, seq=seq)
    gateway.fact("slot", {"slot": "B-002", "state": "free"})
    gateway.wait_message("/down/ack", lambda body: body["seq"] >= seq + 1)
    equal(tide().metric("tide_facts_stale_total") - stale, 1, "stale facts")
    sql = ("SELECT n.text, s.state FROM spot s JOIN name n ON n.id = s.slot AND n.kind = 6"
           " WHERE n.text IN ('B-001', 'B-002') ORDER BY 1")
    states = wait_for(lambda: len(tide().rows(sql)) == 2 and tide().rows(sql),
                      "the tables follow", step=0.2)
    equal(states, [("B-001", 2), ("B-002", 1)], "occupancy")


@test
def who_does_not_come_loses_the_place():
    """30 civil minutes after the start: half a minute in real time at this scale."""
    start = round_up(tide().now())
    booking = expect(book("res1", "浙FN0001", start, 2, visitor=True), "ok")["id"]
    tide().client("res1").wait_message(
        "/inbox", lambda body: body.get("booking") == booking and body.get("kind") == "no_show",
        seconds=50)
    equal(ended(booking)["state"], "no_show", "state")


@test
def public_state_shows_pools_and_never_slots():
    res1 = tide().client("res1")
    zone = res1.wait_message("/pub/zone/A")
    equal((zone["zone"], zone["slots"], len(zone["hours"])), ("A", 24, 24), "zone A")
    check("A-0" not in str(zone), "a slot's name is public: %r", zone)
    res1.wait_message("/pub/zone/others", lambda body: body["slots"] == 5)
    with res1.turn:
        topics = {message[0] for message in res1.messages if "/pub/" in message[0]}
    check(not [t for t in topics if t.endswith(("/B", "/H"))], "a small zone is public: %r", topics)


@test
def the_tide_table_tells_hours():
    reply = expect(tide().client("res1").ask("parking.tide", zone="A", hours=24), "ok")
    hours = items(reply, "tide_hour")
    equal(len(hours), 24, "hours")
    check(all(row["supply"] >= 23 for row in hours), "supply: %r", hours[:3])


@test
def a_new_calendar_closes_a_day():
    committee = tide().client("committee1")
    expect(committee.ask("calendar.put", year=2019, papers=[], days=[
        {"name": "端午节", "date": "2019-06-07", "isOffDay": True},
        {"name": "试", "date": "2019-05-29", "isOffDay": True}]), "ok")
    start = tide().now().replace(month=5, day=29, hour=10, minute=0, second=0, microsecond=0)
    expect(book("res1", RES_PLATE, start, 1, "B"), "full", "no_window")
    expect(committee.ask("calendar.put", year=2019, days=[
        {"name": "端午节", "date": "2019-06-07", "isOffDay": True}]), "ok")
    booking = expect(book("res1", RES_PLATE, start, 1, "B"), "ok")["id"]
    expect(tide().client("res1").ask("parking.cancel", booking=booking), "ok")


@test
def the_guard_reads_the_sheet_and_opens_by_hand():
    guard = tide().client("guard1")
    now = tide().now()
    expect(guard.ask("sheet.read", zone="A", start=civil(now), end=civil(now + 12 * HOUR)), "ok")
    expect(guard.ask("gate.open", lane="G1-in", plate=STRANGER_PLATE), "ok")
    expect(guard.ask("incident.list"), "ok")
    gateway = tide().client("gw1")
    gateway.wait_message("/down/command", lambda body: body.get("plate") == STRANGER_PLATE
                         and body["kind"] == "open")


@test
def many_at_once_never_share_a_slot():
    """Twelve clients race for the two slots of zone H: two win."""
    start = soon(300)
    clients = [tide().new_client("res1") for _ in range(4)]
    wins, lock = [], threading.Lock()

    def race(index):
        rid = clients[index % 4].send("parking.book", {
            "plate": "浙FR%04d" % index, "zone": "H", "start": civil(start),
            "end": civil(start + HOUR), "visitor": True, "for": "3-2-502"})
        reply = clients[index % 4].reply(rid)
        with lock:
            wins.append(reply)

    threads = [threading.Thread(target=race, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(sorted(reply["code"] for reply in wins), ["full"] * 4 + ["ok"] * 2, "codes")


@test
def an_owner_enters_always_and_the_books_balance():
    gateway = tide().client("gw1")
    gateway.fact("plate", {"lane": "G1-in", "plate": OWNER_PLATE, "dir": "in", "ask": 900})
    command = gateway.wait_message("/down/command", lambda body: body.get("ask") == 900)
    equal(command["kind"], "open", "the owner at the gate")
    total = tide().rows("SELECT sum(balance_min) FROM account")[0][0]
    equal(total, 0, "sum of all accounts")
    equal(tide().stop(), 0, "exit code")
    code, words = tide().verify()
    equal(code, 0, "tided --verify: " + words[-300:])


if __name__ == "__main__":
    sys.exit(run_tests())
