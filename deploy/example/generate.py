#!/usr/bin/python3
"""Writes the example neighbourhood as the CSV files that `tidectl import` reads.

    generate.py FOLDER        the same bytes every time

潮汐苑, a compound in the manner of those of Haining: 500 households in 25 stairs, 450 slots, two
gates; 潮汐产业园, an office park across the road with a gate and 80 slots of its own. Nobody in it
is a real person: people are called after their door. Plates carry the letter Z, which no city of
their provinces uses.

    zone  slots  watched by            what it shows
    A     160    sensors and gate      who stands where, strangers, ghosts
    B     178    gate cameras alone    a place is promised, the seat is the book's word
    C     100    the guard's hand      a strip outside the fence, east of the compound
    V      12    gate                  visitors; too small to be shown alone in public
    P      80    gate of the park      the office lends its slots at night and on days off

accounts.csv is not imported: it says who has an app or a console. `tide-demo users` makes a secret
for each and writes users.csv from it.
"""
import csv
import os
import sys

SEED = 2019
COMMUNITY, COMPOUND, EAST, PARK = "潮汐社区", "潮汐苑", "东巷", "潮汐产业园"
COMMITTEE, PROPERTY = "业委会", "物业公司"
COMMUTERS = 120
APPS_HOME, APPS_PARK = 110, 70

# Owners' hours: He, Liu, Xiong, Li, doi 10.19734/j.issn.1001-3695.2018.05.0503 (Chengdu):
# percent that leave in the half hour from 07:00 on, and return in that from 17:00 on.
LEAVES = (7 * 60, (11.76, 17.65, 26.48, 15.68, 14.70, 13.73))
RETURNS = (17 * 60, (20.00, 36.67, 23.33, 20.00))


class Dice:
    """A generator of our own (PCG-XSH-RR), so that the files never depend on Python's version."""

    def __init__(self, seed):
        self.state = (seed * 2 + 1) & (2**64 - 1)
        for _ in range(4):
            self.below(2)

    def below(self, n):
        old = self.state
        self.state = (old * 6364136223846793005 + 1442695040888963407) & (2**64 - 1)
        word = (((old >> 18) ^ old) >> 27) & 0xFFFFFFFF
        turn = old >> 59
        return (((word >> turn) | (word << (32 - turn))) & 0xFFFFFFFF) % n

    def percent(self, chance):
        return self.below(10000) < chance * 100

    def shuffled(self, items):
        items = list(items)
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items

    def minute(self, histogram):
        first, percents = histogram
        at = self.below(int(sum(percents) * 100))
        for i, share in enumerate(percents):
            at -= share * 100
            if at < 0:
                return first + 30 * i + self.below(30)
        return first + 30 * len(percents) - 1


class Plates:
    """Plates in the form of GA 36-2018 that nobody has."""

    LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    SIGNS = LETTERS + "0123456789"

    def __init__(self, dice):
        self.dice, self.given = dice, set()

    def new(self, province="浙", new_energy_percent=22):
        while True:
            if self.dice.percent(new_energy_percent):
                tail = "DDDDF"[self.dice.below(5)] + "%05d" % self.dice.below(100000)
            else:
                digits = ["%d" % self.dice.below(10) for _ in range(5)]
                digits[self.dice.below(5)] = self.LETTERS[self.dice.below(24)]
                tail = "".join(digits)
            plate = province + "Z" + tail
            if plate not in self.given:
                self.given.add(plate)
                return plate


def clock(minute):
    return "%02d:%02d" % divmod(minute, 60)


def households():
    """25 stairs of 20 doors: buildings 1 to 12 with two stairs each, building 13 with one."""
    for building in range(1, 14):
        for stair in (1, 2) if building < 13 else (1,):
            for floor in range(1, 11):
                for door in (1, 2):
                    yield "%d-%d-%d%02d" % (building, stair, floor, door)


def places():
    yield ("网格一", "grid", COMMUNITY, "第一网格")
    yield ("网格二", "grid", COMMUNITY, "第二网格")
    yield (COMPOUND, "compound", "网格一", "潮汐苑小区")
    yield (EAST, "compound", "网格一", "东巷路侧泊位")
    yield (PARK, "organisation", "网格二", "潮汐产业园")
    yield (COMMITTEE, "organisation", COMMUNITY, "潮汐苑业主委员会")
    yield (PROPERTY, "organisation", COMMUNITY, "物业服务公司")
    for building in range(1, 14):
        yield ("%d" % building, "building", COMPOUND, "%d幢" % building)
        for stair in (1, 2) if building < 13 else (1,):
            yield ("%d-%d" % (building, stair), "stair", "%d" % building,
                   "%d幢%d单元" % (building, stair))
    for name in households():
        yield (name, "household", name.rsplit("-", 1)[0], "")
    for n in range(1, COMMUTERS + 1):
        yield ("园-%03d" % n, "household", PARK, "")


# Who has a function: person, of whom, name for people to read, role, where, console user.
STAFF = (
    ("desk/1", COMMITTEE, "业委会值班", "clerk", COMMUNITY, "desk-1"),
    ("chair/1", COMMITTEE, "业委会主任", "committee", COMMUNITY, "chair-1"),
    ("property/1", PROPERTY, "物业值班", "property", COMPOUND, "property-1"),
    ("property/2", PROPERTY, "园区物业", "property", PARK, "property-2"),
    ("guard/1", PROPERTY, "南门保安", "guard", COMPOUND, "guard-south"),
    ("guard/2", PROPERTY, "北门保安", "guard", COMPOUND, "guard-north"),
    ("guard/3", PROPERTY, "东巷保安", "guard", EAST, "guard-east"),
    ("guard/4", PROPERTY, "园区保安", "guard", PARK, "guard-park"),
)
GATEWAYS = (("device/yard", "gw-yard", COMPOUND), ("device/park", "gw-park", PARK))
LANES = (
    ("south-in", COMPOUND, "in", "gw-yard"), ("south-out", COMPOUND, "out", "gw-yard"),
    ("north-in", COMPOUND, "in", "gw-yard"), ("north-out", COMPOUND, "out", "gw-yard"),
    ("park-in", PARK, "in", "gw-park"), ("park-out", PARK, "out", "gw-park"),
)
ZONES = (
    ("A", COMPOUND, "gate+sensor", 1, 201901, "A区 地面"),
    ("B", COMPOUND, "gate", 1, 201901, "B区 地下"),
    ("C", EAST, "hand", 1, 201902, "C区 东巷"),
    ("V", COMPOUND, "gate", 1, 201901, "访客车位"),
    ("P", PARK, "gate", 1, 201903, "产业园停车场"),
)
# zone, owned, rented, common; of the common ones: accessible, charger
ZONE_SLOTS = (("A", 110, 25, 25, 4, 8), ("B", 120, 30, 28, 4, 8), ("C", 0, 30, 70, 2, 0),
              ("V", 0, 0, 12, 2, 0))
SETTINGS = (("horizon_days", 14), ("household_live_max", 8), ("grant_min", 9000),
            ("early_min", 30), ("no_show_min", 30), ("overstay_grace_min", 15),
            ("settle_min", 10), ("sensor_silence_min", 150))


def slots(dice, doors):
    """Owned and rented slots in the order of a shuffled list of doors, then the common ones."""
    doors = iter(dice.shuffled(doors))
    for zone, owned, rented, common, accessible, charger in ZONE_SLOTS:
        titles = dice.shuffled(["owned"] * owned + ["rented"] * rented + ["common"] * common)
        seen = 0
        for number, title in enumerate(titles, 1):
            cls, owner = "standard", ""
            if title == "common":
                seen += 1
                if seen <= accessible:
                    cls = "accessible"
                elif seen <= accessible + charger:
                    cls = "charger"
            else:
                owner = next(doors)
            name = "%s-%03d" % (zone, number)
            yield (name, zone, title, cls, owner, int(zone == "A"))
    for number in range(1, 81):
        yield ("P-%03d" % number, "P", "organisation", "charger" if number <= 6 else "standard",
               PARK, 0)


def windows(dice, all_slots):
    """Common slots are open always, the park's when it is closed, an owner's while he is away."""
    every = ("", "", "", "00:00", "24:00")
    for name, _, title, _, _, _ in all_slots:
        if title == "common":
            yield (name, "weekly", "workday+restday+holiday") + every
        elif title == "organisation":
            yield (name, "weekly", "workday", "", "", "", "18:30", "07:30")
            yield (name, "weekly", "restday+holiday") + every
        elif dice.percent(62):
            opens = -(-dice.minute(LEAVES) // 5) * 5
            closes = dice.minute(RETURNS) // 5 * 5
            yield (name, "weekly", "workday", "", "", "", clock(opens), clock(closes))
        elif dice.percent(6):  # who works at night lends at night
            yield (name, "weekly", "workday", "", "", "", "20:00", "06:30")


def write(folder, name, header, rows):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def main(folder):
    dice = Dice(SEED)
    plates = Plates(dice)
    os.makedirs(folder, exist_ok=True)
    doors = list(households())
    commuters = ["园-%03d" % n for n in range(1, COMMUTERS + 1)]
    all_slots = list(slots(dice, doors))
    owners = [row[4] for row in all_slots if row[2] in ("owned", "rented")]
    others = [door for door in dice.shuffled(doors) if door not in set(owners)]
    drivers = others[:110]  # have a car and no slot

    people = [(door + "/1", door, "住户 " + door, "") for door in doors]
    people += [(door + "/2", door, "住户 %s 二" % door, "") for door in doors if dice.percent(40)]
    people += [(who + "/1", who, "员工 " + who, "") for who in commuters]
    people += [(key, of, name, "") for key, of, name, _, _, _ in STAFF]
    people += [(key, PROPERTY, user, "") for key, user, _ in GATEWAYS]
    roles = [(key, role, place) for key, _, _, role, place, _ in STAFF]
    roles += [(key, "gateway", place) for key, _, place in GATEWAYS]
    stairs = sorted({door.rsplit("-", 1)[0] for door in doors})
    roles += [(stair + "-301/1", "steward", stair) for stair in stairs]
    vehicles = [(plates.new(), door, "resident") for door in owners + drivers]
    vehicles += [(plates.new(), who, "resident") for who in commuters]
    vehicles += [("浙Z0120警", "", "emergency")]
    apps = drivers[:60] + dice.shuffled(owners)[:APPS_HOME - 60] + commuters[:APPS_PARK]
    accounts = [("app-" + who.replace("园", "park"), who + "/1", "app") for who in apps]
    accounts += [(user, key, "console") for key, _, _, _, _, user in STAFF]
    accounts += [(user, key, "gateway") for key, user, _ in GATEWAYS]

    write(folder, "places.csv", "place,kind,parent,title", places())
    write(folder, "people.csv", "person,household,full_name,phone", people)
    write(folder, "roles.csv", "person,role,place", roles)
    write(folder, "vehicles.csv", "plate,household,kind", vehicles)
    write(folder, "zones.csv", "zone,place,sense,outsiders,resolution,title", ZONES)
    write(folder, "slots.csv", "slot,zone,title,cls,owner,sensed", all_slots)
    write(folder, "lanes.csv", "lane,place,dir,gateway", LANES)
    write(folder, "windows.csv",
          "slot,kind,days,weekdays,from_date,until_date,opens,closes", windows(dice, all_slots))
    write(folder, "settings.csv", "key,value", SETTINGS)
    write(folder, "accounts.csv", "user,person,kind", accounts)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: generate.py FOLDER")
    main(sys.argv[1])
