/* words.c - the words of the protocol's closed sets, for people.
 *
 * English shows the word itself with blanks for underscores. Chinese has a table; a word that means
 * different things in different members has a row with the member's name.
 */
#include <string.h>

#include "clients/tidectl/tidectl.h"

struct word {
    const char *member; /* NULL: everywhere */
    const char *word, *zh;
};

static const struct word words[] = {
    /* states */
    {NULL, "booked", "已预约"},
    {NULL, "parked", "在停"},
    {NULL, "kept", "已完成"},
    {NULL, "cancelled", "已取消"},
    {NULL, "no_show", "未到"},
    {NULL, "broken", "违约(已补偿)"},
    {NULL, "live", "进行中"},
    {NULL, "ended", "已结束"},
    {"state", "open", "未结"},
    {"state", "closed", "已结"},
    {"state", "active", "有效"},
    {"state", "revoked", "已停用"},
    {NULL, "occupied", "占用"},
    {NULL, "free", "空闲"},
    {NULL, "unknown", "未知"},
    {NULL, "sent", "已发出"},
    {NULL, "done", "完成"},
    {NULL, "failed", "失败"},
    {NULL, "expired", "过期"},
    {NULL, "up", "运行中"},
    {NULL, "down", "已停止"},
    {NULL, "unavailable", "暂不可用"},
    /* kinds of places, users, vehicles, windows */
    {NULL, "city", "市"},
    {NULL, "town", "镇街"},
    {NULL, "community", "社区"},
    {NULL, "grid", "网格"},
    {NULL, "compound", "小区"},
    {NULL, "building", "楼幢"},
    {NULL, "stair", "单元"},
    {NULL, "household", "住户"},
    {NULL, "organisation", "单位"},
    {"via", "app", "手机"},
    {"kind", "app", "手机端"},
    {NULL, "console", "工作台"},
    {NULL, "gateway", "网关"},
    {NULL, "phone", "电话"},
    {NULL, "desk", "柜台"},
    {NULL, "visit", "上门"},
    {NULL, "paper", "纸质"},
    {"kind", "resident", "业主车辆"},
    {"kind", "emergency", "应急车辆"},
    {"kind", "blocked", "受限车辆"},
    {"kind", "care", "持证照护"},
    {NULL, "weekly", "每周"},
    {NULL, "once", "单次"},
    {NULL, "blackout", "停用"},
    {NULL, "recall", "收回"},
    /* days */
    {NULL, "workday", "工作日"},
    {NULL, "restday", "休息日"},
    {NULL, "holiday", "节假日"},
    {NULL, "eve", "节前工作日"},
    {NULL, "mon", "一"},
    {NULL, "tue", "二"},
    {NULL, "wed", "三"},
    {NULL, "thu", "四"},
    {NULL, "fri", "五"},
    {NULL, "sat", "六"},
    {NULL, "sun", "日"},
    /* slots and zones */
    {NULL, "owned", "自有"},
    {NULL, "rented", "租用"},
    {NULL, "common", "公共"},
    {NULL, "standard", "普通"},
    {NULL, "accessible", "无障碍"},
    {NULL, "charger", "充电"},
    {NULL, "small", "微型"},
    {NULL, "gate", "道闸"},
    {NULL, "sensor", "地磁"},
    {NULL, "hand", "人工"},
    {NULL, "fcfs", "先到先得"},
    {"policy", "draw", "抽签"},
    {NULL, "announced", "已公布"},
    {"draw_state", "open", "申请中"},
    {"draw_state", "closed", "已截止"},
    {NULL, "settling", "结算中"},
    {NULL, "decided", "已揭晓"},
    {NULL, "void", "作废"},
    {NULL, "waiting", "等候中"},
    {NULL, "won", "中签"},
    {NULL, "lost", "未中签"},
    {NULL, "withdrawn", "已撤回"},
    {NULL, "minutes", "分钟最多"},
    {NULL, "households", "户数最多"},
    {NULL, "not_drawn", "未中签"},
    {NULL, "draw_void", "抽签作废"},
    {NULL, "to_be_drawn", "由抽签决定"},
    {NULL, "both", "双向"},
    {NULL, "in", "进"},
    {NULL, "out", "出"},
    /* gates and evidence */
    {"decision", "open", "放行"},
    {"decision", "deny", "拦下"},
    {"kind", "open", "开闸"},
    {"kind", "deny", "拦下"},
    {NULL, "camera", "摄像头"},
    {NULL, "guard", "保安"},
    {NULL, "driver", "车主"},
    {NULL, "clerk", "居委会"},
    {NULL, "standing", "固有权"},
    {NULL, "booking", "预约"},
    {NULL, "resident", "居民"},
    {NULL, "emergency", "应急"},
    {NULL, "by_hand", "人工放行"},
    {NULL, "leaving", "离场"},
    {NULL, "replayed", "补报"},
    {NULL, "misread", "车牌误读"},
    {NULL, "local_list", "本地名单"},
    {NULL, "visitor", "访客"},
    {NULL, "unknown_plate", "未登记车牌"},
    {NULL, "too_early", "时间未到"},
    {NULL, "blocked", "已受限"},
    {NULL, "already_ended", "已结束"},
    {NULL, "all_taken", "已约满"},
    {NULL, "no_window", "未开放"},
    {NULL, "in_pieces", "不连续"},
    /* strikes */
    {NULL, "pending", "待申诉期满"},
    {NULL, "contested", "已申诉"},
    {NULL, "upheld", "成立"},
    {NULL, "clock", "到时未到"},
    {NULL, "strikes", "违规记录"},
    {NULL, "sensor_unsure", "地磁数据不可靠"},
    {NULL, "rules_not_accepted", "未签认规则"},
    {NULL, "undecided", "逾期未裁定"},
    {NULL, "own_case", "本人事项"},
    {NULL, "overstayer", "前车未离场"},
    {NULL, "calendar", "日历调整"},
    {NULL, "day_cap", "当日上限"},
    {NULL, "month_cap", "当月上限"},
    {NULL, "shorter", "缩短"},
    {NULL, "later", "推后"},
    {NULL, "earlier", "提前"},
    {NULL, "elsewhere", "邻近车区"},
    {NULL, "wait", "候补"},
    {NULL, "offered", "待确认"},
    {NULL, "taken", "已确认"},
    {NULL, "passed", "逾期未确认"},
    {NULL, "over", "未候补到"},
    {NULL, "fits_now", "现有空位"},
    {NULL, "not_confirmed", "未按时确认"},
    {NULL, "kept_for_late", "为晚走留出"},
    {NULL, "preempted", "为急用让位"},
    {NULL, "not_certified", "未登记为急救或照护"},
    /* incidents, postings, roles */
    {NULL, "overstay", "超时停放"},
    {NULL, "stranger", "陌生车辆占位"},
    {NULL, "ghost", "有约无车"},
    {NULL, "owner_taken", "业主车位被占"},
    {NULL, "late_supply", "所约车位未腾出"},
    {NULL, "grant", "每月发放"},
    {NULL, "stay", "停车"},
    {NULL, "compensation", "补偿"},
    {NULL, "correction", "更正"},
    {NULL, "lend", "出借"},
    {NULL, "steward", "红管家"},
    {NULL, "property", "物业"},
    {NULL, "committee", "居委会委员"},
    {NULL, "admin", "管理员"},
    {NULL, "true", "是"},
    {NULL, "false", "否"},
};

const char *ctl_word(const char *member, const char *word)
{
    static char plain[4][64];
    static unsigned turn;
    const struct word *found = NULL;

    for (size_t i = 0; ctl_chinese && i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].word, word) != 0)
            continue;
        if (words[i].member && strcmp(words[i].member, member) == 0)
            return words[i].zh;
        if (!words[i].member && !found)
            found = &words[i];
    }
    if (found)
        return found->zh;
    char *out = plain[turn++ % 4];
    snprintf(out, sizeof plain[0], "%s", word);
    for (char *at = out; *at; at++)
        *at = *at == '_' ? ' ' : *at;
    return out;
}

void ctl_word_list(const char *member, const cJSON *list, char *out, size_t cap)
{
    const cJSON *item;
    size_t len = 0;

    out[0] = '\0';
    if (strcmp(member, "weekdays") == 0 && cJSON_GetArraySize(list) == 7)
        return; /* all of them: nothing to say */
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item) || len + 1 >= cap)
            continue;
        snprintf(out + len, cap - len, "%s%s", len ? CTL_T("+", "、") : "",
                 ctl_word(member, item->valuestring));
        len = strlen(out);
    }
}
