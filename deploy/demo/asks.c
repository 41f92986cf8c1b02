/* asks.c - what people ask of tided, and what its answers mean to them.
 *
 * Who has an app asks himself; for the others the clerk does, with `for` and `via`. A refusal that
 * says "leave by 17:10 and it fits", or "come at 18:30", is taken up when that still serves; else
 * the next zone is asked.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "deploy/demo/player.h"
#include "protocol/codec.h"
#include "tide/client.h"

#define FIELDS_CAP 512
#define DAY_MIN (24 * 60)
#define SERIES_DAYS 11
#define AGAIN_MAX 2
#define WORTH_PERCENT 60
#define LATER_MAX_MIN 60

/* ---- texts --------------------------------------------------------------------------------- */

static const char *time_text(const struct demo_player *player, int minute, char out[48])
{
    if (tide_time_format(out, 48, demo_at(player, minute), DEMO_OFFSET_MIN) == 0) {
        out[0] = '\0';
    }
    return out;
}

/* "18:05" when it is a time that cJSON finds; -1 when there is none. */
static int minute_of(const struct demo_player *player, const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    tide_ms at = 0;
    if (!cJSON_IsString(item) ||
        tide_time_parse(item->valuestring, strlen(item->valuestring), &at) != 0) {
        return -1;
    }
    return (int)((at - player->midnight_ms) / DEMO_MINUTE_MS);
}

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static uint32_t number_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) && item->valuedouble > 0 && item->valuedouble < 4294967296.0
               ? (uint32_t)item->valuedouble
               : 0;
}

/* ---- asking -------------------------------------------------------------------------------- */

/* Who speaks for a trip's party; *ret_for is `,"for":"3-2-501","via":"phone"` for the clerk. */
static int speaker(const struct demo_player *player, int number, bool via, char *ret_for,
                   size_t cap)
{
    const struct demo_trip *trip = &player->plan->trips[number];
    const struct demo_household *household = &player->hood->households[trip->household];
    if (!trip->by_phone && household->account >= 0) {
        ret_for[0] = '\0';
        return household->account;
    }
    (void)snprintf(ret_for, cap, ",\"for\":\"%s\"%s", household->name,
                   via ? ",\"via\":\"phone\"" : "");
    return player->clerk;
}

static void ask(struct demo_player *player, int account, const char *op, const char *fields,
                enum demo_ask_kind what, int number)
{
    player->tally->requests++;
    if (demo_links_ask(player->links, account, op, fields, (int)what, number) != 0) {
        player->tally->unanswered++;
    }
}

static void ask_repeat(struct demo_player *player, int number)
{
    const struct demo_trip *trip = &player->plan->trips[number];
    struct demo_life *life = &player->life[number];
    char fields[FIELDS_CAP], whose[128], from[16], until[16];
    int today = (int)((player->midnight_ms + DEMO_OFFSET_MIN * DEMO_MINUTE_MS) / TIDE_DAY_MS);
    demo_date_format(today, from, sizeof(from));
    demo_date_format(today + SERIES_DAYS, until, sizeof(until));
    int account = speaker(player, number, true, whose, sizeof(whose));
    (void)snprintf(fields, sizeof(fields),
                   "{\"plate\":\"%s\",\"zone\":\"%s\",\"days\":[\"workday\"],\"opens\":"
                   "\"%02d:%02d\",\"closes\":\"%02d:%02d\",\"from_date\":\"%s\",\"until_date\":"
                   "\"%s\"%s}",
                   player->hood->cars[trip->car].plate, player->hood->zones[life->zone].name,
                   life->from_min / 60, life->from_min % 60, life->until_min / 60,
                   life->until_min % 60, from, until, whose);
    ask(player, account, "parking.repeat", fields, DEMO_ASK_REPEAT, number);
}

/* Asks for life->from_min..until_min in the zone that is tried now. */
static void ask_now(struct demo_player *player, int number)
{
    const struct demo_trip *trip = &player->plan->trips[number];
    struct demo_life *life = &player->life[number];
    player->tally->bookings_asked++;
    if (trip->repeats && life->tries == 0 && life->again == 0) {
        ask_repeat(player, number);
        return;
    }
    char fields[FIELDS_CAP], whose[128], from[48], until[48];
    int account = speaker(player, number, true, whose, sizeof(whose));
    (void)snprintf(
        fields, sizeof(fields),
        "{\"plate\":\"%s\",\"zone\":\"%s\",\"start\":\"%s\",\"end\":\"%s\",\"cls\":\"%s\"%s%s}",
        player->hood->cars[trip->car].plate, player->hood->zones[life->zone].name,
        time_text(player, life->from_min, from), time_text(player, life->until_min, until),
        trip->cls, trip->kind == DEMO_VISITOR ? ",\"visitor\":true" : "", whose);
    ask(player, account, "parking.book", fields, DEMO_ASK_BOOK, number);
}

/* A lot that an organisation lends has its hours on a board at the gate: nobody asks for others. */
static void clip_to_hours(const struct demo_player *player, struct demo_life *life)
{
    for (size_t i = 0; i < player->hood->slot_count; i++) {
        const struct demo_slot *slot = &player->hood->slots[i];
        if (slot->zone == life->zone && slot->title == DEMO_ORGANISATION && slot->opens_min >= 0) {
            life->from_min = life->from_min > slot->opens_min ? life->from_min : slot->opens_min;
            life->until_min =
                life->until_min < slot->closes_min ? life->until_min : slot->closes_min;
            return;
        }
    }
}

void demo_ask_book(struct demo_player *player, int number)
{
    const struct demo_trip *trip = &player->plan->trips[number];
    struct demo_life *life = &player->life[number];
    life->state = DEMO_ASKING;
    life->zone = trip->zones[life->tries];
    life->again = 0;
    life->from_min = trip->asks_from_min;
    life->until_min = trip->asks_until_min;
    clip_to_hours(player, life);
    int soonest = ((int)demo_now_min(player) + 8) / 5 * 5;
    if (life->from_min < soonest) {
        life->from_min = soonest;
    }
    if (life->until_min < life->from_min + 20) {
        life->until_min = life->from_min + 20;
    }
    ask_now(player, number);
}

void demo_ask_cancel(struct demo_player *player, int number)
{
    char fields[FIELDS_CAP], whose[128];
    int account = speaker(player, number, false, whose, sizeof(whose));
    (void)snprintf(fields, sizeof(fields), "{\"booking\":%u%s}", player->life[number].booking,
                   account == player->clerk ? ",\"via\":\"phone\"" : "");
    ask(player, account, "parking.cancel", fields, DEMO_ASK_CANCEL, number);
}

void demo_ask_extend(struct demo_player *player, int number)
{
    const struct demo_trip *trip = &player->plan->trips[number];
    char fields[FIELDS_CAP], whose[128], until[48];
    int account = speaker(player, number, false, whose, sizeof(whose));
    int wanted = (trip->leaves_min + 14) / 5 * 5;
    (void)snprintf(fields, sizeof(fields), "{\"booking\":%u,\"end\":\"%s\"%s}",
                   player->life[number].booking, time_text(player, wanted, until),
                   account == player->clerk ? ",\"via\":\"phone\"" : "");
    player->tally->extensions_asked++;
    ask(player, account, "parking.extend", fields, DEMO_ASK_EXTEND, number);
}

void demo_ask_recall(struct demo_player *player, int number)
{
    const struct demo_trip *trip = &player->plan->trips[number];
    const struct demo_slot *slot =
        &player->hood->slots[player->hood->households[trip->household].slot];
    char fields[FIELDS_CAP], whose[128], from[48], until[48];
    int account = speaker(player, number, false, whose, sizeof(whose));
    (void)snprintf(fields, sizeof(fields), "{\"slot\":\"%s\",\"start\":\"%s\",\"end\":\"%s\"%s}",
                   slot->name, time_text(player, trip->arrives_min / 5 * 5, from),
                   time_text(player, slot->closes_min, until),
                   account == player->clerk ? ",\"via\":\"phone\"" : "");
    player->tally->recalls_asked++;
    ask(player, account, "share.recall", fields, DEMO_ASK_RECALL, number);
}

void demo_ask_where(struct demo_player *player, int number)
{
    char fields[FIELDS_CAP], whose[128];
    int account = speaker(player, number, false, whose, sizeof(whose));
    (void)snprintf(fields, sizeof(fields), "{%s}", whose[0] == ',' ? whose + 1 : whose);
    ask(player, account, "parking.list", fields, DEMO_ASK_WHERE, number);
}

void demo_ask_arrive(struct demo_player *player, int number)
{
    char fields[FIELDS_CAP];
    (void)snprintf(fields, sizeof(fields), "{\"booking\":%u}", player->life[number].booking);
    ask(player, player->guard_east, "parking.arrive", fields, DEMO_ASK_ARRIVE, number);
}

void demo_ask_leave(struct demo_player *player, int number)
{
    char fields[FIELDS_CAP];
    (void)snprintf(fields, sizeof(fields), "{\"booking\":%u}", player->life[number].booking);
    ask(player, player->guard_east, "parking.leave", fields, DEMO_ASK_LEAVE, number);
}

static int guard_of(const struct demo_player *player, const struct demo_lane *lane)
{
    return strncmp(lane->name, "park", 4) == 0 ? player->guard_park : player->guard_gate;
}

void demo_ask_hand(struct demo_player *player, int number, int lane)
{
    const struct demo_lane *at = &player->hood->lanes[lane];
    const struct demo_trip *trip = &player->plan->trips[number];
    char fields[FIELDS_CAP];
    (void)snprintf(fields, sizeof(fields), "{\"lane\":\"%s\",\"plate\":\"%s\",\"dir\":\"%s\"}",
                   at->name, player->hood->cars[trip->car].plate, at->in ? "in" : "out");
    player->tally->by_hand++;
    ask(player, guard_of(player, at), "gate.open", fields, DEMO_ASK_HAND, number);
}

void demo_ask_log(struct demo_player *player, int lane)
{
    const struct demo_lane *at = &player->hood->lanes[lane];
    char fields[FIELDS_CAP];
    (void)snprintf(fields, sizeof(fields), "{\"lane\":\"%s\"}", at->name);
    ask(player, guard_of(player, at), "gate.log", fields, DEMO_ASK_LOG, lane);
}

/* ---- answers ------------------------------------------------------------------------------- */

/* True when what the refusal offers was worth asking for. */
static bool take_offer(struct demo_player *player, int number, const cJSON *reply)
{
    struct demo_life *life = &player->life[number];
    int from = minute_of(player, reply, "free_from"),
        until = minute_of(player, reply, "free_until");
    if (life->again++ >= AGAIN_MAX) {
        return false;
    }
    if (strcmp(text_of(reply, "why"), "in_the_past") == 0) {
        life->from_min = ((int)demo_now_min(player) + 14) / 5 * 5;
        ask_now(player, number);
        return true;
    }
    int wanted = life->until_min - life->from_min, offered = until - life->from_min;
    if (until >= 0 && offered >= 20 && offered < wanted &&
        offered * 100 >= wanted * WORTH_PERCENT) {
        life->until_min = until;
    } else if (from > life->from_min && from <= life->from_min + LATER_MAX_MIN &&
               from + 20 <= life->until_min) {
        life->from_min = from;
    } else {
        return false;
    }
    ask_now(player, number);
    return true;
}

static void booked(struct demo_player *player, int number, const cJSON *reply, bool ok)
{
    const struct demo_trip *trip = &player->plan->trips[number];
    struct demo_life *life = &player->life[number];
    if (!ok) {
        if (!take_offer(player, number, reply)) {
            demo_refused(player, number);
        }
        return;
    }
    life->booking = number_of(reply, "id");
    player->tally->adapted += life->again > 0;
    player->tally->by_clerk +=
        trip->by_phone || player->hood->households[trip->household].account < 0;
    demo_promised(player, number);
}

static void repeated(struct demo_player *player, int number, const cJSON *reply, bool ok)
{
    if (!ok) {
        player->life[number].again = 1; /* for today alone, then */
        ask_now(player, number);
        return;
    }
    player->life[number].series = number_of(reply, "id");
    player->tally->series++;
    demo_ask_where(player, number);
}

/* Looks for the trip's booking among those of its household. */
static void located(struct demo_player *player, int number, const cJSON *reply)
{
    struct demo_life *life = &player->life[number];
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(reply, "items"))
    {
        uint32_t booking = number_of(item, "booking");
        if (strcmp(text_of(item, "is"), "booking") != 0) {
            continue;
        }
        if (life->booking == 0 && life->series != 0 && number_of(item, "series") == life->series &&
            minute_of(player, item, "start") < DAY_MIN) {
            life->booking = booking;
            demo_promised(player, number);
        }
        if (booking == life->booking && booking != 0) {
            int slot = demo_hood_slot(player->hood, text_of(item, "slot"));
            life->slot = slot >= 0 ? slot : life->slot;
            return;
        }
    }
    if (life->booking == 0 && life->series != 0 && life->state == DEMO_ASKING) {
        life->again = 1; /* the series leaves today out */
        ask_now(player, number);
    }
}

static void extended(struct demo_player *player, int number, const cJSON *reply, bool ok)
{
    const struct demo_trip *trip = &player->plan->trips[number];
    struct demo_life *life = &player->life[number];
    if (ok) {
        player->tally->extensions_granted++;
        life->until_min = (trip->leaves_min + 14) / 5 * 5;
        return;
    }
    demo_tell(player, "no extension (%s%s%s)", text_of(reply, "code"),
              *text_of(reply, "why") != '\0' ? ", " : "", text_of(reply, "why"));
    if (demo_dice_percent(&player->dice, 60)) {
        demo_plan_act(player, life->until_min - 1, DEMO_ACT_GO,
                      number); /* then he leaves in time */
    }
}

static void logged(struct demo_player *player, int lane, const cJSON *reply)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(reply, "items"))
    {
        demo_gate_logged(player, lane, text_of(item, "plate"),
                         strcmp(text_of(item, "decision"), "deny") == 0, text_of(item, "why"),
                         minute_of(player, item, "at"));
    }
}

static void arrived(struct demo_player *player, int number, const cJSON *reply, bool ok)
{
    struct demo_life *life = &player->life[number];
    if (!ok && strcmp(text_of(reply, "why"), "too_early") == 0 &&
        demo_now_min(player) < life->from_min) {
        life->state = DEMO_PROMISED; /* waits in the street */
        demo_plan_act(player, life->from_min, DEMO_ACT_DRIVE, number);
        return;
    }
    if (!ok) {
        player->tally->turned_away++;
        life->state = DEMO_GONE;
        return;
    }
    life->state = DEMO_INSIDE;
    demo_ask_where(player, number);
    demo_plan_act(player, demo_now_min(player) + 2, DEMO_ACT_PARK, number);
}

static void count_reply(struct demo_player *player, const struct demo_news *news,
                        const cJSON *reply)
{
    if (news->error == TIDE_CLIENT_OK) {
        return;
    }
    if (news->error == TIDE_CLIENT_REFUSED) {
        demo_tally_refusal(player->tally, text_of(reply, "code"), text_of(reply, "why"));
    } else {
        player->tally->unanswered++;
    }
}

void demo_on_reply(struct demo_player *player, const struct demo_news *news)
{
    cJSON *reply = cJSON_Parse(news->json);
    bool ok = news->error == TIDE_CLIENT_OK;
    int number = news->who;
    count_reply(player, news, reply);
    switch ((enum demo_ask_kind)news->what) {
    case DEMO_ASK_BOOK:
        booked(player, number, reply, ok);
        break;
    case DEMO_ASK_REPEAT:
        repeated(player, number, reply, ok);
        break;
    case DEMO_ASK_CANCEL:
        player->tally->cancelled += ok;
        player->life[number].state = ok ? DEMO_GONE : player->life[number].state;
        break;
    case DEMO_ASK_EXTEND:
        extended(player, number, reply, ok);
        break;
    case DEMO_ASK_RECALL:
        player->tally->recalls_granted += ok;
        break;
    case DEMO_ASK_WHERE:
        located(player, number, reply);
        break;
    case DEMO_ASK_ARRIVE:
        arrived(player, number, reply, ok);
        break;
    case DEMO_ASK_LOG:
        logged(player, number, reply);
        break;
    case DEMO_ASK_LEAVE:
    case DEMO_ASK_HAND:
    case DEMO_ASK_OTHER:
        break;
    }
    cJSON_Delete(reply);
}

/* ---- notices, public state ----------------------------------------------------------------- */

static int trip_of(const struct demo_player *player, uint32_t booking)
{
    for (int number = 0; booking != 0 && number < (int)player->plan->count; number++) {
        if (player->life[number].booking == booking) {
            return number;
        }
    }
    return -1;
}

void demo_on_notice(struct demo_player *player, const struct demo_news *news)
{
    cJSON *notice = cJSON_Parse(news->json);
    const char *kind = text_of(notice, "kind");
    int number = trip_of(player, number_of(notice, "booking"));
    player->tally->notices++;
    if (number >= 0 && strcmp(kind, "booking_broken") == 0) {
        struct demo_life *life = &player->life[number];
        demo_tell(player, "a promise was broken: %s", text_of(notice, "why"));
        if (life->state == DEMO_PROMISED) {
            life->booking = 0;
            life->slot = -1;
            life->tries = 0;
            demo_ask_book(player, number);
        }
    }
    cJSON_Delete(notice);
}

/* Hours of a zone, [{start, supply, …}]: what was is kept, what comes is replaced. */
static void take_hours(struct demo_player *player, struct demo_hour *kept, const cJSON *zone)
{
    const cJSON *item;
    int now = (int)demo_now_min(player);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(zone, "hours"))
    {
        int start = minute_of(player, item, "start");
        if (start < 0 || start >= DAY_MIN) {
            continue;
        }
        struct demo_hour *hour = &kept[start / 60];
        uint32_t parked = number_of(item, "parked");
        hour->supply = number_of(item, "supply");
        hour->promised = number_of(item, "promised");
        hour->parked = start <= now && parked < hour->parked ? hour->parked : parked;
        hour->known = true;
    }
}

static void on_zone(struct demo_player *player, const cJSON *zone)
{
    const char *name = text_of(zone, "zone");
    size_t at = 0;
    while (at < player->public_zones && strcmp(player->zone_names[at], name) != 0) {
        at++;
    }
    if (at == DEMO_ZONES_MAX + 1) {
        return;
    }
    if (at == player->public_zones) {
        (void)snprintf(player->zone_names[at], DEMO_NAME, "%s", name);
        player->public_zones++;
    }
    player->zone_now[at] = (struct demo_hour){.supply = number_of(zone, "open"),
                                              .promised = number_of(zone, "promised"),
                                              .parked = number_of(zone, "parked"),
                                              .known = true};
    take_hours(player, player->zone_hours[at], zone);
    for (int h = 0; h < DEMO_CHART_HOURS; h++) {
        struct demo_hour sum = {0};
        for (size_t i = 0; i < player->public_zones; i++) {
            const struct demo_hour *hour = &player->zone_hours[i][h];
            sum.supply += hour->supply;
            sum.promised += hour->promised;
            sum.parked += hour->parked;
            sum.known |= hour->known;
        }
        player->chart.hour[h] = sum;
    }
}

/* The daemon's own clock: {civil, real, scale}. */
static void on_node(struct demo_player *player, const cJSON *node)
{
    tide_ms civil = 0, real = 0;
    const char *civil_text = text_of(node, "civil"), *real_text = text_of(node, "real");
    uint32_t scale = number_of(node, "scale");
    if (scale == 0 || tide_time_parse(civil_text, strlen(civil_text), &civil) != 0 ||
        tide_time_parse(real_text, strlen(real_text), &real) != 0) {
        return;
    }
    player->scale = (int)scale;
    player->anchor_civil_ms = civil;
    player->anchor_us = demo_elapsed_us() - (demo_real_ms() - real) * 1000;
}

void demo_on_message(struct demo_player *player, const struct demo_news *news)
{
    cJSON *message = cJSON_Parse(news->json);
    if (strstr(news->topic, "/pub/zone/") != NULL) {
        on_zone(player, message);
    } else if (strncmp(news->topic, "tide/1/sys/", 11) == 0) {
        on_node(player, message);
    }
    cJSON_Delete(message);
}
