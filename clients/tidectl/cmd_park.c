/* cmd_park.c - commands that fill in what a person leaves out: the only zone, from now on, whether
 * a window is weekly, whether a word is a number or a plate.
 */
#include <stdlib.h>
#include <string.h>

#include "clients/tidectl/tidectl.h"
#include "protocol/codec.h"

static void set_text(cJSON *members, const char *member, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(members, member);
    cJSON_AddStringToObject(members, member, text);
}

/* Fills in the zone when the domain has just one. 0, or an exit code after naming all. */
static int need_zone(struct ctl *ctl, const struct ctl_args *args, cJSON *members)
{
    char zone[80], names[600];
    int rc = ctl_connect(ctl, NULL);

    if (rc != CTL_EXIT_OK || cJSON_HasObjectItem(members, "zone"))
        return rc;
    ctl_only_zone(ctl, zone, sizeof zone, names, sizeof names);
    if (zone[0]) {
        cJSON_AddStringToObject(members, "zone", zone);
        return CTL_EXIT_OK;
    }
    ctl_complain(
        CTL_T("`tidectl %s` needs a zone; there are: %s", "`tidectl %s` 需要指定车区;现有:%s"),
        args->command->name, names[0] ? names : CTL_T("none", "无"));
    return CTL_EXIT_USAGE;
}

/* Fills in a start of now, on the grain in which promises are made, and lets a span count from
 * there: "+2h" said at 15:01 is 15:00 to 17:00 and not 17:05. */
static void set_now(struct ctl *ctl, const struct ctl_args *args, cJSON *members)
{
    int64_t now = ctl_now(ctl) / TIDE_GRAIN_MS * TIDE_GRAIN_MS;
    const char *until = ctl_args_get(args, "--until");
    struct ctl_when when;
    char text[40];

    if (tide_time_format(text, sizeof text, now, ctl->clock.utc_offset_min) > 0)
        set_text(members, "start", text);
    if (ctl_when_parse(until, ctl->clock.utc_offset_min, &when) != 0 || when.kind != CTL_WHEN_SPAN)
        return;
    if (tide_time_format(text, sizeof text, now + when.ms, ctl->clock.utc_offset_min) > 0)
        set_text(members, "end", text);
}

static int ask_done(struct ctl *ctl, const struct ctl_args *args, cJSON *members, int rc)
{
    if (rc == CTL_EXIT_OK)
        rc = ctl_ask_and_show(ctl, args->command->op, members);
    cJSON_Delete(members);
    return rc;
}

int ctl_run_book(struct ctl *ctl, const struct ctl_args *args)
{
    bool from_now =
        strcmp(args->command->op, "parking.repeat") != 0 && !ctl_args_get(args, "--from");
    cJSON *members = ctl_args_members(ctl, args);
    int rc = members ? need_zone(ctl, args, members) : CTL_EXIT_USAGE;

    if (rc == CTL_EXIT_OK && from_now)
        set_now(ctl, args, members);
    return ask_done(ctl, args, members, rc);
}

int ctl_run_share(struct ctl *ctl, const struct ctl_args *args)
{
    bool weekly = ctl_args_get(args, "--opens") || ctl_args_get(args, "--closes");
    bool once = ctl_args_get(args, "--from") || ctl_args_get(args, "--until");
    bool whole = weekly ? ctl_args_get(args, "--opens") && ctl_args_get(args, "--closes")
                        : ctl_args_get(args, "--from") && ctl_args_get(args, "--until");
    cJSON *members;

    if (weekly == once || !whole) {
        ctl_complain(CTL_T("say when: --opens 08:00 --closes 17:30 (each day, see --days), or "
                           "--from … --until … (once)\n  for example: %s",
                           "请说明时间:每日 --opens 08:00 --closes 17:30(可加 --days),或一次 "
                           "--from … --until …\n  例如:%s"),
                     args->command->example);
        return CTL_EXIT_USAGE;
    }
    members = ctl_args_members(ctl, args);
    if (!members)
        return CTL_EXIT_USAGE;
    cJSON_AddStringToObject(members, "kind", weekly ? "weekly" : "once");
    if (weekly && !cJSON_HasObjectItem(members, "days")) {
        cJSON *days = cJSON_AddArrayToObject(members, "days");

        cJSON_AddItemToArray(days, cJSON_CreateString("workday"));
        cJSON_AddItemToArray(days, cJSON_CreateString("restday"));
        cJSON_AddItemToArray(days, cJSON_CreateString("holiday"));
    }
    return ask_done(ctl, args, members, CTL_EXIT_OK);
}

int ctl_run_arrive(struct ctl *ctl, const struct ctl_args *args)
{
    const char *what = ctl_args_get(args, "WHAT");
    char plate[32], *end;
    long number = strtol(what, &end, 10);
    cJSON *members;

    if (*end && tide_plate_normalise(what, strlen(what), plate, sizeof plate) < 0) {
        ctl_complain(CTL_T("'%s' is neither a booking's number nor a plate like 浙F12345",
                           "“%s”既不是预约编号,也不是车牌(如 浙F12345)"),
                     what);
        return CTL_EXIT_USAGE;
    }
    members = ctl_args_members(ctl, args);
    if (!members)
        return CTL_EXIT_USAGE;
    if (!*end)
        cJSON_AddNumberToObject(members, "booking", (double)number);
    else
        cJSON_AddStringToObject(members, "plate", plate);
    return ask_done(ctl, args, members, CTL_EXIT_OK);
}

/* ---- tide, sheet --------------------------------------------------------------------------- */
static void draw(struct ctl *ctl, const cJSON *reply, const char *zone)
{
    struct ctl_hour hours[CTL_HOURS];
    char title[200], when[48] = "";
    size_t count = 0;
    const cJSON *item;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(reply, "items"))
    {
        const char *start = ctl_text_of(item, "start");

        if (strcmp(ctl_text_of(item, "is"), "tide_hour") != 0 || count == CTL_HOURS)
            continue;
        if (count == 0)
            ctl_when_show(start, when, sizeof when);
        hours[count++] =
            (struct ctl_hour){.hour = strlen(start) > 13 ? (int)strtol(start + 11, NULL, 10) : 0,
                              .supply = (unsigned)ctl_number_of(item, "supply"),
                              .promised = (unsigned)ctl_number_of(item, "promised"),
                              .parked = (unsigned)ctl_number_of(item, "parked")};
    }
    snprintf(title, sizeof title, CTL_T("Zone %s, 24 hours from %s", "%s 车区,自 %s 起 24 小时"),
             zone, when);
    ctl_chart(stdout, title, hours, count, ctl->conf.ascii);
}

int ctl_run_tide(struct ctl *ctl, const struct ctl_args *args)
{
    cJSON *members = ctl_args_members(ctl, args), *reply = NULL;
    int rc = members ? need_zone(ctl, args, members) : CTL_EXIT_USAGE;

    if (rc != CTL_EXIT_OK || strcmp(args->command->op, "parking.tide") != 0)
        return ask_done(ctl, args, members, rc);
    cJSON_AddNumberToObject(members, "hours", CTL_HOURS);
    rc = ctl_ask(ctl, args->command->op, members, &reply);
    if (reply && ctl->conf.json)
        ctl_print_json(reply);
    else if (rc == CTL_EXIT_OK)
        draw(ctl, reply, ctl_text_of(members, "zone"));
    cJSON_Delete(reply);
    cJSON_Delete(members);
    return rc;
}

/* ---- forecast ------------------------------------------------------------------------------ */
static void draw_ahead(struct ctl *ctl, const cJSON *reply, const char *zone)
{
    struct ctl_ahead hours[CTL_FORECAST_HOURS];
    char title[240];
    size_t count = 0;
    double days = 0;
    bool alone = true;
    const cJSON *item;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(reply, "items"))
    {
        const char *start = ctl_text_of(item, "start");
        struct ctl_ahead *hour = &hours[count];

        if (strcmp(ctl_text_of(item, "is"), "forecast_hour") != 0 || strlen(start) < 13 ||
            count == CTL_FORECAST_HOURS)
            continue;
        *hour = (struct ctl_ahead){.hour = (int)strtol(start + 11, NULL, 10),
                                   .low = (unsigned)ctl_number_of(item, "free_low"),
                                   .middle = (unsigned)ctl_number_of(item, "free"),
                                   .high = (unsigned)ctl_number_of(item, "free_high")};
        memcpy(hour->date, start + 5, 5);
        alone = ctl_text_of(item, "zone")[0] != '\0';
        days =
            count++ == 0 || ctl_number_of(item, "days") < days ? ctl_number_of(item, "days") : days;
    }
    snprintf(
        title, sizeof title,
        CTL_T("%s%s: places that will be free in the next %zu hours", "%s%s:未来 %zu 小时预计空位"),
        alone ? CTL_T("Zone ", "车区 ") : CTL_T("Zone and other small ones: ", "含其他小车区:"),
        zone, count);
    ctl_chart_ahead(stdout, title, hours, count, ctl->conf.ascii);
    if (days == 0)
        printf("%s\n",
               CTL_T("nothing was learned yet about some of these hours: what is not promised "
                     "is shown",
                     "部分时段尚无经验数据,显示的是尚未约出的车位"));
}

int ctl_run_forecast(struct ctl *ctl, const struct ctl_args *args)
{
    cJSON *members = ctl_args_members(ctl, args), *reply = NULL;
    int rc = members ? need_zone(ctl, args, members) : CTL_EXIT_USAGE;

    if (rc == CTL_EXIT_OK)
        rc = ctl_ask(ctl, args->command->op, members, &reply);
    if (reply && ctl->conf.json)
        ctl_print_json(reply);
    else if (rc == CTL_EXIT_OK)
        draw_ahead(ctl, reply, ctl_text_of(members, "zone"));
    cJSON_Delete(reply);
    cJSON_Delete(members);
    return rc;
}

/* All pages, one after another. */
int ctl_run_inbox(struct ctl *ctl, const struct ctl_args *args)
{
    cJSON *members = ctl_args_members(ctl, args);
    bool more = members != NULL;
    int rc = members ? CTL_EXIT_OK : CTL_EXIT_USAGE, pages = 0;

    while (more && rc == CTL_EXIT_OK) {
        cJSON *reply = NULL;
        const cJSON *items, *last;

        rc = ctl_ask(ctl, args->command->op, members, &reply);
        items = cJSON_GetObjectItemCaseSensitive(reply, "items");
        last = cJSON_GetArrayItem(items, cJSON_GetArraySize(items) - 1);
        more = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "more")) && last;
        if (more) {
            cJSON_DeleteItemFromObjectCaseSensitive(members, "after");
            cJSON_AddNumberToObject(members, "after", ctl_number_of(last, "notice"));
        }
        if (reply && ctl->conf.json) {
            ctl_print_json(reply);
        } else if (rc == CTL_EXIT_OK && (cJSON_GetArraySize(items) > 0 || pages == 0)) {
            cJSON_DeleteItemFromObjectCaseSensitive(reply, "more");
            ctl_show(args->command->op, reply, stdout);
        }
        cJSON_Delete(reply);
        pages++;
    }
    cJSON_Delete(members);
    return rc;
}
