/* why.c - see why.h.
 *
 *   the engine's trace lines ──► sentences (table below), those that say something to a party
 *   bindings, offers, promises in the way, what became of it ──► sentences as well
 *
 * A line that only the operator could use, or that would name somebody, has no sentence and is not
 * told. Ids of bookings of others, slots, persons and plates never leave this file.
 */
#include "daemon/why.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/codec.h"

struct words {
    const char *word, *zh, *en;
};

static const struct words reasons[] = {
    {"in_the_past", "时间已过", "that time was over"},
    {"beyond_horizon", "超出可预约的日期", "it lay beyond the days that may be booked"},
    {"ends_before_start", "结束不晚于开始", "it ended before it began"},
    {"too_long", "超过单次停车时长上限", "it was longer than one stay may be"},
    {"no_window", "该时段没有开放的车位", "no slot was open at that time"},
    {"all_taken", "该时段开放的车位均已约出或被占", "what was open was promised or taken"},
    {"in_pieces", "每个时刻都有空位,但没有一个车位能停满全程",
     "there was a place at each moment, but none for the whole time"},
    {"household_cap", "本户有效预约数已达上限",
     "the household had as many bookings as it may have"},
    {"minutes_short", "本户分钟数不足", "the household's minutes did not suffice"},
    {"day_cap", "本户当日可约分钟数已达上限", "the household's minutes of that day were used up"},
    {"month_cap", "本户当月可约分钟数已达上限",
     "the household's minutes of that month were used up"},
    {"plate_overlap", "该车牌在此时段已有预约", "the plate had another booking at that time"},
    {"not_open_to_outsiders", "该车区未对外开放", "the zone is not open to people from outside"},
    {"blocked", "该车牌已被限制", "the plate is blocked"},
    {"pool_full", "已达系统容量上限", "a limit of the installation was reached"},
    {"not_yours", "请求人无权代办", "who asked may not act for this household"},
    {"role_missing", "请求人没有所需角色", "who asked lacks the role for it"},
    {"blackout", "车位按通知停用", "the place was closed by order"},
    {"recall", "业主收回车位", "the owner called the slot back"},
    {"withdrawn", "已撤回", "it was withdrawn"},
    {"calendar", "工作日历有变", "the calendar of workdays changed"},
    {"fits_now", "现有空位,无需候补", "there was a place: nothing to wait for"},
    {"preempted", "为急救或持证照护车辆让位", "it gave way to an urgent visit"},
    {"not_certified", "该车牌未登记为急救或持证照护车辆",
     "the plate is on file neither as an emergency vehicle nor as certified care"},
    {"kept_for_late", "有空位,但须为晚走的车留出余量",
     "a place was free, but not for as long after it as cars are late there"},
    {"not_confirmed", "未按时确认,已转给下一位", "it was not confirmed in time and went on"},
    {"overstayer", "所约车位仍被占用", "the place was still taken by another car"},
};

static const struct words states[] = {
    {"booked", "已预约", "booked"},
    {"parked", "车辆到达", "the car came"},
    {"kept", "已完成", "the car left"},
    {"cancelled", "已取消", "cancelled"},
    {"no_show", "未到,车位释放", "nobody came; the place was given back"},
    {"broken", "未能兑现,已补偿", "could not be kept; compensated"},
};

/* {t}: a as time; {n}: a as number; {g}: b grains as minutes. */
static const struct words lines[] = {
    {"authority.party", "规则:只能为本户办理,代办须有相应角色",
     "rule: one acts for one's own household; for others with the role for it"},
    {"seat.best_fit", "规则:在能停满全程的车位中,选前后余下空闲最少的(余 {g} 分钟)",
     "rule: of the slots that are free all through, the one that leaves least time over ({g} min)"},
    {"seat.none", "规则:须有一个车位在整个时段空闲;当时没有",
     "rule: one slot must be free for the whole time; there was none"},
    {"seat.reseat", "规则:可调整尚未到场的预约以腾出车位;调整后可行",
     "rule: bookings that have not arrived may move to make room; that worked"},
    {"seat.stuck", "规则:可调整尚未到场的预约以腾出车位;未找到可行的调整",
     "rule: bookings that have not arrived may move to make room; no move was found"},
    {"start.taken", "预约开始时原车位仍被占用,改派其他车位",
     "when it began its slot was still taken; another was looked for"},
    {"wait.looked", "规则:车位空出时,按候补先后逐一查看,给最先能用上的一位",
     "rule: when something comes free, those who wait are gone through in the order in which they "
     "asked; the first whom it fits is offered it"},
    {"wait.offered", "规则:候补到的车位须按时确认,否则转给下一位",
     "rule: what is offered has to be confirmed in time, or it goes to the next"},
    {"wait.made", "规则:已满时可候补,按申请先后排队",
     "rule: when all is taken one may wait, in the order of asking"},
    {"arrive.early", "提前到达且车位空闲,从到达时起算",
     "who comes early and finds his place free begins then"},
};

static const struct words *find(const struct words *table, size_t count, const char *word)
{
    for (size_t i = 0; word != NULL && i < count; i++)
        if (strcmp(table[i].word, word) == 0)
            return &table[i];
    return NULL;
}
#define FIND(table, word) find(table, sizeof(table) / sizeof *(table), word)

static const char *when(const struct store_why *why, tide_ms at, char out[24])
{
    char text[64];
    size_t len = tide_time_format(text, sizeof text, at, why->utc_offset_min);
    if (len < 19)
        return "?";
    snprintf(out, 24, "%.10s %.5s", text, text + 11);
    return out;
}

/* ---- one decision ---------------------------------------------------------------------------- */
static void tell_head(const struct store_why *why, FILE *out)
{
    char a[24], b[24], c[24];
    bool booked = why->booking.id != 0;
    tide_ms start_ms = booked ? why->booking.start_ms : why->asked.start_ms;
    tide_ms end_ms = booked ? why->booking.end_ms : why->asked.end_ms;
    if (booked)
        fprintf(out, "预约 %u / booking %u\n", why->booking.id, why->booking.id);
    if (start_ms != 0)
        fprintf(out, "  车区 %s,%s 至 %s\n  zone %s, %s to %s\n", why->zone_name,
                when(why, start_ms, a), when(why, end_ms, b), why->zone_name, a, b);
    fprintf(out, "  决定于 %s(日志第 %llu 条,规则第 %u 版)\n", when(why, why->when_ms, c),
            (unsigned long long)why->seq, why->rules);
    fprintf(out, "  decided at %s (journal row %llu, rules %u)\n", c, (unsigned long long)why->seq,
            why->rules);
}

static void tell_proof(const struct store_why *why, FILE *out)
{
    if (!why->redecided)
        fprintf(out,
                "  当时的规则与本程序不同,只能列出记录,不能重新推演\n"
                "  it was decided by other rules than this program's: what is recorded is told, "
                "not decided again\n");
    else if (why->same)
        fprintf(out, "  按日志重新推演,结果与当时完全一致\n"
                     "  decided again from the journal: the same, to the byte\n");
    else
        fprintf(out, "  注意:重新推演的结果与记录不符,请运行 tided --verify\n"
                     "  beware: decided again it falls otherwise; run tided --verify\n");
}

/* Trace lines as sentences; one that comes again is told once. */
static void tell_rules(const struct store_why *why, FILE *out)
{
    for (unsigned i = 0; i < why->line_count; i++) {
        const struct words *words = FIND(lines, why->lines[i].rule);
        bool told = words == NULL;
        for (unsigned k = 0; k < i && !told; k++)
            told = strcmp(why->lines[k].rule, why->lines[i].rule) == 0;
        for (int zh = 1; zh >= 0 && !told; zh--) {
            const char *text = zh ? words->zh : words->en, *at = strstr(text, "{g}");
            if (at != NULL)
                fprintf(out, "  %.*s%lld%s\n", (int)(at - text), text,
                        (long long)why->lines[i].b * TIDE_GRAIN_MIN, at + 3);
            else
                fprintf(out, "  %s\n", text);
        }
    }
}

static void tell_refusal(const struct store_why *why, FILE *out)
{
    const char *word = tide_enum_name(TIDE_ENUM_FIELD_TYPE(why), why->reply.why);
    const struct words *reason = FIND(reasons, word);
    char a[24], b[24];
    if (why->reply.code == TIDE_CODE_ok)
        return;
    fprintf(out, "  结果:拒绝 - %s\n  outcome: refused - %s\n", reason != NULL ? reason->zh : word,
            reason != NULL ? reason->en : word);
    for (unsigned i = 0; i < why->binding_count; i++) {
        const struct tide_binding *it = &why->bindings[i];
        reason = FIND(reasons, tide_enum_name(TIDE_ENUM_FIELD_TYPE(why), it->why));
        fprintf(out, "  受限时段 %s 至 %s:%s\n", when(why, it->start_ms, a),
                when(why, it->end_ms, b), reason != NULL ? reason->zh : "?");
        fprintf(out, "  in the way, %s to %s: %s\n", a, b, reason != NULL ? reason->en : "?");
    }
    for (unsigned i = 0; i < why->offer_count; i++)
        fprintf(out, "  当时可改约 / offered then: %s - %s%s\n",
                when(why, why->offers[i].start_ms, a), when(why, why->offers[i].end_ms, b),
                why->offers[i].kind == TIDE_OFFER_KIND_elsewhere ? " (邻近车区 / another zone)"
                                                                 : "");
}

/* First come, first served: whoever stands in the way had asked before. */
static void tell_others(const struct store_why *why, FILE *out)
{
    char a[24], b[24];
    if (!why->redecided || why->zone.slots == 0)
        return;
    fprintf(out, "  当时该车区此类车位 %u 个,与该时段重叠的他人预约 %u 个(其中已在场 %u 个)\n",
            why->zone.slots, why->zone.promises, why->zone.parked);
    fprintf(out, "  the zone had %u such slots; %u promises to others met that time (%u parked)\n",
            why->zone.slots, why->zone.promises, why->zone.parked);
    if (why->zone.promises == 0)
        return;
    fprintf(out, "  先到先得:这些预约都先于本请求,最早 %s,最近 %s\n",
            when(why, why->zone.first_made_ms, a), when(why, why->zone.last_made_ms, b));
    fprintf(out, "  first come, first served: all were made before, the first %s, the last %s\n", a,
            b);
}

/* ---- what became of it ----------------------------------------------------------------------- */
static void tell_later(const struct store_why *why, FILE *out)
{
    char a[24], b[24], c[24];
    for (unsigned i = 0; i < why->later_count; i++) {
        const struct tide_booking *was = &why->later[i].was, *is = &why->later[i].is;
        const struct words *state =
            FIND(states, tide_enum_name(TIDE_ENUM_FIELD_TYPE(booking_state), is->state));
        const struct words *reason =
            FIND(reasons, tide_enum_name(TIDE_ENUM_FIELD_TYPE(why), is->reason));
        const struct words *outside =
            FIND(reasons, tide_enum_name(TIDE_ENUM_FIELD_TYPE(why), is->outside));
        when(why, why->later[i].when_ms, a);
        if (is->state != was->state && state != NULL)
            fprintf(out, "  %s %s%s%s / %s%s%s\n", a, state->zh, reason != NULL ? ":" : "",
                    reason != NULL ? reason->zh : "", state->en, reason != NULL ? ": " : "",
                    reason != NULL ? reason->en : "");
        if (is->start_ms != was->start_ms || is->end_ms != was->end_ms)
            fprintf(out, "  %s 改为 %s 至 %s / now from %s to %s\n", a, when(why, is->start_ms, b),
                    when(why, is->end_ms, c), b, c);
        if (is->slot != was->slot)
            fprintf(out,
                    "  %s 换到同区另一车位,预约不变 / moved to another slot of the zone, the "
                    "promise stands\n",
                    a);
        if (is->outside != was->outside && outside != NULL)
            fprintf(out,
                    "  %s 时段已在开放之外(%s),预约保留 / outside the windows now (%s), kept\n", a,
                    outside->zh, outside->en);
    }
}

void why_tell(const struct store_why *why, FILE *out)
{
    if (!why->found) {
        fprintf(out,
                "日志中没有这个预约或请求(请求的答复在有效期后一天删除)\n"
                "the journal knows no such booking or request (a request's answer is forgotten a "
                "day after its life)\n");
        return;
    }
    tell_head(why, out);
    tell_rules(why, out);
    tell_refusal(why, out);
    if (why->reply.code == TIDE_CODE_ok && why->booking.id != 0)
        fprintf(out, why->booking.waiting != 0
                         ? "  结果:候补成功\n  outcome: offered to who waited\n"
                         : "  结果:约成\n  outcome: granted\n");
    if (why->reply.code == TIDE_CODE_ok && why->event.kind == TIDE_REC_wait)
        fprintf(out, "  结果:已候补\n  outcome: waits\n");
    tell_others(why, out);
    tell_later(why, out);
    tell_proof(why, out);
}

bool why_parse(const char *what, struct store_why_ask *ret, char *buf, size_t cap)
{
    const char *colon = strrchr(what, ':');
    char *end = NULL;
    unsigned long booking = strtoul(what, &end, 10);
    *ret = (struct store_why_ask){0};
    if (colon == NULL) {
        ret->booking = (tide_id)booking;
        return what[0] >= '0' && what[0] <= '9' && *end == '\0' && booking > 0 &&
               booking <= UINT32_MAX;
    }
    size_t user_len = (size_t)(colon - what);
    if (user_len == 0 || user_len >= cap || user_len > TIDE_NAME_BYTES_MAX || colon[1] == '\0' ||
        strlen(colon + 1) > TIDE_RID_BYTES_MAX)
        return false;
    memcpy(buf, what, user_len);
    buf[user_len] = '\0';
    ret->user = buf;
    ret->rid = colon + 1;
    return true;
}
