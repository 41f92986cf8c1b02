/* notice.c - notices as sentences: {plate}, {zone}, {slot}, {start}, {end}, {until}, {why},
 * {booking}, {incident} are filled from the row; a name that the row lacks becomes nothing.
 */
#include <string.h>

#include "clients/tidectl/tidectl.h"

static const struct {
    const char *kind, *en, *zh;
} sentences[] = {
    {"booking_made", "{plate} was booked in for you: zone {zone}, {start} to {end}, no. {booking}.",
     "已为您预约:{plate},{zone} 区,{start} 至 {end},编号 {booking}。"},
    {"booking_cancelled", "Booking {booking} ({plate}, {start}) was cancelled. {why}",
     "预约 {booking}({plate},{start})已被取消。{why}"},
    {"booking_moved",
     "There is a place for booking {booking} ({plate}) in zone {zone} now; the gate will name it.",
     "预约 {booking}({plate})在 {zone} 区已有车位,进场时告知。"},
    {"booking_broken",
     "We are sorry: booking {booking} ({plate}, {start} to {end}) cannot be kept. {why} "
     "Minutes are posted to you as compensation.",
     "很抱歉:预约 {booking}({plate},{start} 至 {end})无法履行。{why}补偿分钟已入账。"},
    {"no_show", "{plate} did not come: booking {booking} of {start} was given back.",
     "{plate} 未到场:{start} 的预约 {booking} 已释放。"},
    {"ending_soon", "Booking {booking} ({plate}) ends at {end}. Leave in time, or extend it.",
     "预约 {booking}({plate})将于 {end} 到期,请按时离开或延长。"},
    {"overstay", "Overstay: {plate} is still there, booking {booking} ended at {end}.",
     "超时:{plate} 仍在场,预约 {booking} 已于 {end} 到期。"},
    {"stranger", "A car without a right stands on slot {slot} (zone {zone}) since {start}.",
     "车位 {slot}({zone} 区)自 {start} 起被无权车辆占用。"},
    {"ghost", "{plate} should stand on slot {slot}, but the slot looks empty.",
     "{plate} 应停在车位 {slot},但该车位似为空。"},
    {"owner_taken", "Slot {slot} is taken while its owner is back. {plate}",
     "业主已回,车位 {slot} 仍被占用。{plate}"},
    {"late_supply", "Booking {booking} ({plate}) begins and slot {slot} is still taken.",
     "预约 {booking}({plate})已开始,车位 {slot} 尚未腾出。"},
    {"incident_closed", "Incident {incident} is closed.", "事件 {incident} 已结。"},
    {"calendar_changed",
     "The calendar of workdays changed: {start}. Check your windows and bookings.",
     "工作日历有变:{start}。请检查您的开放时段和预约。"},
    {"calendar_missing", "The holiday file of the coming year is not in yet.",
     "来年的节假日安排尚未导入。"},
    {"series_gap", "Your series has a gap: {plate} could not be promised for {start}. {why}",
     "周期预约缺一天:{plate} 在 {start} 无法安排。{why}"},
    {"substitute",
     "Your slot is not free: slot {slot} (zone {zone}) is yours from {start} to {end}, free of "
     "charge, no. {booking}. {why}",
     "您的车位暂不可用:请停车位 {slot}({zone} 区),{start} 至 {end},不扣分钟,编号 {booking}。{why}"},
    {"slot_free", "Your slot {slot} is free again; no. {booking} was given back.",
     "您的车位 {slot} 已空出,替代车位(编号 {booking})已释放。"},
    {"clock_jump", "The daemon's clock jumped; deadlines wait for `tidectl clock accept`.",
     "系统时钟跳变,期限暂停,待执行 `tidectl clock accept`。"},
    {"draw_won", "You were drawn: {plate}, zone {zone}, {start} to {end}, booking {booking}.",
     "您已中签:{plate},{zone} 区,{start} 至 {end},预约编号 {booking}。"},
    {"draw_lost", "You were not drawn this time: {plate}, zone {zone}, {start} to {end}. {why}",
     "此次未中签:{plate},{zone} 区,{start} 至 {end}。{why}"},
    {"strike_made",
     "Strike {strike}: {strike_kind}, {plate}, booking {booking}, {start}, {minutes} min, seen by "
     "{witness}. It has no effect yet; contest it until {end} (`tidectl strike contest {strike}`).",
     "违规记录 {strike}:{strike_kind},{plate},预约 {booking},{start},{minutes} "
     "分钟,凭据:{witness}。"
     "目前尚不生效,可在 {end} 前申诉(`tidectl strike contest {strike}`)。"},
    {"strike_contested",
     "Strike {strike} is contested: {strike_kind}, {plate}, {start}, {minutes} min, seen by "
     "{witness}. Decide until {end}, or it is void.",
     "违规记录 {strike} 被申诉:{strike_kind},{plate},{start},{minutes} 分钟,凭据:{witness}。"
     "请在 {end} 前裁定,逾期作废。"},
    {"strike_decided", "Strike {strike} ({plate}, {start}) is decided. {why}",
     "违规记录 {strike}({plate},{start})已有结论。{why}"},
    {"wait_offered",
     "A place came free for {plate}: zone {zone}, {start} to {end}. Confirm until {until}: "
     "`tidectl confirm {booking}`. Else it goes to the next.",
     "候补成功:{plate},{zone} 区,{start} 至 {end}。请于 {until} 前确认:"
     "`tidectl confirm {booking}`,逾期转给下一位。"},
    {"wait_passed", "The place for {plate} (zone {zone}, {start}) was not confirmed and went on.",
     "{plate} 候补到的车位({zone} 区,{start})未按时确认,已转给下一位。"},
    {"wait_over", "No place came free for {plate}: zone {zone}, {start} to {end}.",
     "候补未成功:{plate},{zone} 区,{start} 至 {end} 没有空出车位。"},
    {"visitor_came", "Your visitor {plate} has come (zone {zone}).",
     "您的访客 {plate} 已到({zone} 区)。"},
};

/* The value of a name in braces. */
static void value_of(const cJSON *row, const char *name, char *out, size_t cap)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(row, name);

    out[0] = '\0';
    if (cJSON_IsNumber(value))
        snprintf(out, cap, "%.0f", value->valuedouble);
    else if (cJSON_IsString(value) && strcmp(name, "why") == 0)
        snprintf(out, cap, "(%s)", ctl_word(name, value->valuestring));
    else if (cJSON_IsString(value) &&
             (strcmp(name, "strike_kind") == 0 || strcmp(name, "witness") == 0))
        snprintf(out, cap, "%s", ctl_word(name, value->valuestring));
    else if (cJSON_IsString(value) &&
             (strcmp(name, "start") == 0 || strcmp(name, "end") == 0 || strcmp(name, "until") == 0))
        ctl_when_show(value->valuestring, out, cap);
    else if (cJSON_IsString(value))
        snprintf(out, cap, "%s", value->valuestring);
}

static void fill(const char *pattern, const cJSON *row, char *out, size_t cap)
{
    size_t len = 0;

    out[0] = '\0';
    while (*pattern && len + 1 < cap) {
        char name[24], value[128];
        size_t span = *pattern == '{' ? strcspn(pattern, "}") : 0;

        if (span == 0 || span > sizeof name || pattern[span] != '}') {
            out[len++] = *pattern++;
            out[len] = '\0';
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)span - 1, pattern + 1);
        value_of(row, name, value, sizeof value);
        snprintf(out + len, cap - len, "%s", value);
        len = strlen(out);
        pattern += span + 1;
    }
}

void ctl_notice(const cJSON *row, char *out, size_t cap)
{
    const char *kind = ctl_text_of(row, "kind");

    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (strcmp(sentences[i].kind, kind) == 0) {
            fill(CTL_T(sentences[i].en, sentences[i].zh), row, out, cap);
            return;
        }
    snprintf(out, cap, "%s", ctl_word("kind", kind));
}
