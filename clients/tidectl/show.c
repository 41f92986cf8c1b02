/* show.c - the items of a reply as tables for people.
 *
 * A shape says which members of an item are shown, in which order, under which heading. An item
 * without a shape is shown with all its plain members. A card shows one item, a member a line.
 */
#include <stdlib.h>
#include <string.h>

#include "clients/tidectl/tidectl.h"

enum column_kind { C_TEXT, C_TIME, C_WORD, C_NUMBER, C_MARK };
struct column {
    const char *member, *en, *zh;
    enum column_kind kind;
};
#define COLUMNS_MAX 14
struct shape {
    const char *is;
    bool card;
    struct column columns[COLUMNS_MAX];
};

#define ZONE                                                                                       \
    {                                                                                              \
        "zone", "zone", "车区", C_TEXT                                                             \
    }
#define SLOT                                                                                       \
    {                                                                                              \
        "slot", "slot", "车位", C_TEXT                                                             \
    }
#define PLATE                                                                                      \
    {                                                                                              \
        "plate", "plate", "车牌", C_TEXT                                                           \
    }
#define STATE                                                                                      \
    {                                                                                              \
        "state", "state", "状态", C_WORD                                                           \
    }
#define KIND                                                                                       \
    {                                                                                              \
        "kind", "kind", "类型", C_WORD                                                             \
    }
#define START                                                                                      \
    {                                                                                              \
        "start", "from", "开始", C_TIME                                                            \
    }
#define FINISH                                                                                     \
    {                                                                                              \
        "end", "until", "结束", C_TIME                                                             \
    }
#define HOME                                                                                       \
    {                                                                                              \
        "household", "household", "住户", C_TEXT                                                   \
    }
#define DAYS                                                                                       \
    {                                                                                              \
        "days", "days", "日类", C_WORD                                                             \
    }
#define WEEKDAYS                                                                                   \
    {                                                                                              \
        "weekdays", "weekdays", "星期", C_WORD                                                     \
    }
#define HOURS                                                                                      \
    {"opens", "opens", "起", C_TEXT},                                                              \
    {                                                                                              \
        "closes", "closes", "止", C_TEXT                                                           \
    }
#define DATES                                                                                      \
    {"from_date", "from date", "首日", C_TEXT},                                                    \
    {                                                                                              \
        "until_date", "until date", "末日", C_TEXT                                                 \
    }
#define WHY                                                                                        \
    {                                                                                              \
        "why", "why", "原因", C_WORD                                                               \
    }

static const struct shape shapes[] = {
    {"booking",
     false,
     {{"booking", "no.", "编号", C_NUMBER},
      STATE,
      PLATE,
      ZONE,
      SLOT,
      START,
      FINISH,
      HOME,
      {"visitor", "visitor", "访客", C_MARK},
      {"urgent", "urgent", "急用", C_MARK},
      {"series", "series", "周期", C_NUMBER},
      {"charged_min", "minutes", "分钟", C_NUMBER},
      {"substitute_for", "instead of", "替代", C_TEXT},
      {"reason", "because", "原因", C_WORD}}},
    {"series",
     false,
     {{"series", "series", "周期预约", C_NUMBER},
      STATE,
      PLATE,
      ZONE,
      DAYS,
      WEEKDAYS,
      HOURS,
      DATES,
      HOME}},
    {"gap_day", false, {{"date", "no place on", "无位日期", C_TEXT}, WHY}},
    {"quote",
     false,
     {ZONE,
      START,
      FINISH,
      {"places", "places", "空位", C_NUMBER},
      {"minutes", "minutes", "所需分钟", C_NUMBER},
      {"free_until", "free until", "最晚至", C_TIME}}},
    {"binding", false, {ZONE, START, FINISH, WHY}},
    {"offer",
     false,
     {KIND,
      ZONE,
      START,
      FINISH,
      {"minutes", "minutes", "所需分钟", C_NUMBER},
      {"walk_m", "walk, m", "步行米数", C_NUMBER},
      {"position", "position", "排位", C_NUMBER}}},
    {"forecast_hour",
     false,
     {ZONE,
      START,
      {"supply", "open", "开放", C_NUMBER},
      {"free_low", "free at least", "至少空位", C_NUMBER},
      {"free", "as a rule", "通常空位", C_NUMBER},
      {"free_high", "at best", "最多空位", C_NUMBER},
      {"days", "days known", "经验天数", C_NUMBER}}},
    {"zone_now",
     false,
     {ZONE,
      {"title", "name", "名称", C_TEXT},
      {"slots", "slots", "车位", C_NUMBER},
      {"open", "open", "开放", C_NUMBER},
      {"promised", "promised", "已约", C_NUMBER},
      {"parked", "parked", "在停", C_NUMBER},
      {"free", "free", "空位", C_NUMBER}}},
    {"zone",
     false,
     {ZONE,
      {"title", "name", "名称", C_TEXT},
      {"place", "place", "所在", C_TEXT},
      {"sense", "watched by", "感知", C_WORD},
      {"outsiders", "outsiders", "对外", C_MARK},
      {"policy", "policy", "方式", C_WORD},
      {"walk_group", "walk", "步行线", C_NUMBER},
      {"walk_m", "at, m", "步行位置", C_NUMBER},
      {"risk_permille", "risk, per mille", "迟走风险‰", C_NUMBER}}},
    {"slot",
     false,
     {SLOT,
      ZONE,
      {"title", "title", "产权", C_WORD},
      {"cls", "class", "类型", C_WORD},
      {"owner", "owner", "业主", C_TEXT},
      {"sensed", "sensor", "地磁", C_MARK}}},
    {"window",
     false,
     {{"window", "no.", "编号", C_NUMBER},
      SLOT,
      ZONE,
      KIND,
      DAYS,
      WEEKDAYS,
      HOURS,
      DATES,
      START,
      FINISH}},
    {"session",
     false,
     {{"session", "no.", "编号", C_NUMBER},
      PLATE,
      ZONE,
      SLOT,
      {"right", "right", "依据", C_WORD},
      {"booking", "booking", "预约", C_NUMBER},
      START,
      FINISH,
      {"source", "seen by", "来源", C_WORD}}},
    {"incident",
     false,
     {{"incident", "no.", "编号", C_NUMBER},
      STATE,
      KIND,
      ZONE,
      SLOT,
      PLATE,
      {"booking", "booking", "预约", C_NUMBER},
      HOME,
      {"open", "since", "发生", C_TIME},
      {"close", "closed", "结案", C_TIME},
      {"level", "level", "级别", C_NUMBER},
      {"substitute", "owner goes to", "业主改停", C_TEXT},
      {"why", "because", "原因", C_WORD}}},
    {"passage",
     false,
     {{"passage", "no.", "编号", C_NUMBER},
      {"at", "at", "时间", C_TIME},
      {"lane", "lane", "车道", C_TEXT},
      {"dir", "dir", "方向", C_WORD},
      PLATE,
      {"decision", "decision", "结果", C_WORD},
      WHY,
      {"booking", "booking", "预约", C_NUMBER},
      {"source", "seen by", "来源", C_WORD}}},
    {"account",
     true,
     {HOME,
      {"balance_min", "minutes", "分钟余额", C_NUMBER},
      {"held_min", "held by bookings", "预约占用", C_NUMBER},
      {"used_min", "used lately", "近期已用", C_NUMBER},
      {"lent_min", "lent lately", "近期出借", C_NUMBER},
      {"day_min", "used on day", "当日已用", C_NUMBER},
      {"month_min", "used in month", "当月已用", C_NUMBER},
      {"pending_min", "charges pending", "待定扣减", C_NUMBER},
      {"no_shows", "no-shows", "未到次数", C_NUMBER},
      {"overstays", "overstays", "超时次数", C_NUMBER}}},
    {"draw",
     false,
     {{"draw", "draw", "抽签", C_NUMBER},
      STATE,
      ZONE,
      {"ask_from", "asked from", "申请开始", C_TIME},
      {"ask_until", "asked until", "申请截止", C_TIME},
      START,
      FINISH,
      {"aim", "aim", "目标", C_WORD},
      {"issue", "issue", "期号", C_NUMBER},
      {"wishes", "wishes", "申请", C_NUMBER},
      {"chosen", "served", "中签", C_NUMBER}}},
    {"wish",
     false,
     {{"wish", "wish", "申请", C_NUMBER},
      {"draw", "draw", "抽签", C_NUMBER},
      STATE,
      PLATE,
      ZONE,
      START,
      FINISH,
      {"used_min", "used before", "已用分钟", C_NUMBER},
      {"booking", "booking", "预约", C_NUMBER},
      WHY}},
    {"strike",
     false,
     {{"strike", "no.", "编号", C_NUMBER},
      KIND,
      STATE,
      {"at", "when", "时间", C_TIME},
      {"minutes", "minutes", "分钟", C_NUMBER},
      {"witness", "seen by", "凭据", C_WORD},
      {"booking", "booking", "预约", C_NUMBER},
      {"contest_until", "contest until", "申诉截止", C_TIME},
      {"decide_until", "decided until", "裁定截止", C_TIME},
      {"expires", "expires", "失效", C_TIME},
      {"charge_min", "charge", "拟扣分钟", C_NUMBER},
      WHY}},
    {"waiting",
     false,
     {{"waiting", "wait", "候补", C_NUMBER},
      STATE,
      PLATE,
      ZONE,
      START,
      FINISH,
      HOME,
      {"booking", "booking", "预约", C_NUMBER},
      {"confirm_by", "confirm until", "确认截止", C_TIME},
      WHY}},
    {"wait_place",
     false,
     {{"waiting", "wait", "候补", C_NUMBER},
      {"position", "position", "排位", C_NUMBER},
      {"chance_pct", "chance, %", "成功率 %", C_NUMBER},
      {"of", "cases known", "参考例数", C_NUMBER}}},
    {"posting",
     false,
     {{"at", "at", "时间", C_TIME},
      {"reason", "for", "事由", C_WORD},
      {"from", "from", "付", C_TEXT},
      {"to", "to", "收", C_TEXT},
      {"minutes", "minutes", "分钟", C_NUMBER},
      {"booking", "booking", "预约", C_NUMBER}}},
    {"status",
     true,
     {{"now", "civil time", "系统时间", C_TIME},
      {"zones", "zones", "车区", C_NUMBER},
      {"slots", "slots", "车位", C_NUMBER},
      {"persons", "persons", "人员", C_NUMBER},
      {"bookings", "live bookings", "有效预约", C_NUMBER},
      {"sessions", "cars there", "在场车辆", C_NUMBER},
      {"incidents", "open incidents", "未结事件", C_NUMBER},
      {"pool_used_pct", "fullest pool, %", "最满容量 %", C_NUMBER},
      {"calendar_until", "calendar until", "日历至", C_TEXT},
      {"clock_suspended", "clock suspended", "时钟暂停", C_MARK}}},
    {"whoami",
     true,
     {{"user", "user", "账号", C_TEXT},
      {"person", "person", "人员", C_TEXT},
      HOME,
      {"roles", "roles", "角色", C_WORD}}},
    {"place",
     false,
     {{"place", "place", "编号", C_TEXT},
      KIND,
      {"parent", "in", "隶属", C_TEXT},
      {"title", "name", "名称", C_TEXT}}},
    {"person",
     false,
     {{"person", "person", "人员", C_TEXT},
      HOME,
      {"full_name", "name", "姓名", C_TEXT},
      {"phone", "phone", "电话", C_TEXT}}},
    {"role",
     false,
     {{"person", "person", "人员", C_TEXT},
      {"role", "role", "角色", C_WORD},
      {"place", "place", "范围", C_TEXT}}},
    {"user",
     false,
     {{"user", "user", "账号", C_TEXT}, {"person", "person", "人员", C_TEXT}, KIND, STATE}},
    {"vehicle", false, {PLATE, HOME, KIND, {"until", "until", "至", C_TIME}}},
    {"setting", false, {{"key", "setting", "设置项", C_TEXT}, {"value", "value", "值", C_NUMBER}}},
};

static const struct shape *shape_of(const char *is)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (strcmp(shapes[i].is, is) == 0)
            return &shapes[i];
    return NULL;
}

static void show_value(const struct column *column, const cJSON *value, char *out, size_t cap)
{
    out[0] = '\0';
    if (cJSON_IsArray(value))
        ctl_word_list(column->member, value, out, cap);
    else if (cJSON_IsNumber(value) && value->valuedouble != 0)
        snprintf(out, cap, "%.0f", value->valuedouble);
    else if (cJSON_IsNumber(value) && column->kind == C_NUMBER)
        snprintf(out, cap, "0");
    else if (cJSON_IsTrue(value))
        snprintf(out, cap, "%s", CTL_T("yes", "是"));
    else if (cJSON_IsString(value) && column->kind == C_TIME)
        ctl_when_show(value->valuestring, out, cap);
    else if (cJSON_IsString(value) && column->kind == C_WORD)
        snprintf(out, cap, "%s", ctl_word(column->member, value->valuestring));
    else if (cJSON_IsString(value))
        snprintf(out, cap, "%s", value->valuestring);
}

static void show_card(const struct shape *shape, const cJSON *item, FILE *out)
{
    char text[200];
    size_t widest = 0;

    for (size_t i = 0; i < COLUMNS_MAX && shape->columns[i].member; i++) {
        const struct column *column = &shape->columns[i];
        size_t width = ctl_width(CTL_T(column->en, column->zh));

        show_value(column, cJSON_GetObjectItemCaseSensitive(item, column->member), text,
                   sizeof text);
        widest = text[0] && width > widest ? width : widest;
    }
    for (size_t i = 0; i < COLUMNS_MAX && shape->columns[i].member; i++) {
        const struct column *column = &shape->columns[i];

        show_value(column, cJSON_GetObjectItemCaseSensitive(item, column->member), text,
                   sizeof text);
        if (!text[0])
            continue;
        ctl_pad(out, CTL_T(column->en, column->zh), widest + 2, false);
        ctl_pad(out, text, 0, false);
        fputc('\n', out);
    }
}

static void show_rows(const struct shape *shape, const cJSON *items, FILE *out)
{
    size_t columns = 0;
    const cJSON *item;
    struct ctl_table *table;
    char text[200];

    while (columns < COLUMNS_MAX && shape->columns[columns].member)
        columns++;
    table = ctl_table_new(columns);
    for (size_t i = 0; i < columns; i++) {
        ctl_table_add(table, CTL_T(shape->columns[i].en, shape->columns[i].zh));
        if (shape->columns[i].kind == C_NUMBER)
            ctl_table_right(table, i);
    }
    cJSON_ArrayForEach(item, items)
    {
        if (strcmp(ctl_text_of(item, "is"), shape->is) != 0)
            continue;
        for (size_t i = 0; i < columns; i++) {
            show_value(&shape->columns[i],
                       cJSON_GetObjectItemCaseSensitive(item, shape->columns[i].member), text,
                       sizeof text);
            /* a column of zeros only says nothing: it is left out like an empty one */
            ctl_table_add(table,
                          strcmp(text, "0") == 0 && strcmp(shape->is, "booking") == 0 ? "" : text);
        }
    }
    ctl_table_print(table, out);
    ctl_table_free(table);
}

/* An item of a kind that this program does not know: all that is plain in it. */
static void show_plain(const cJSON *item, FILE *out)
{
    const cJSON *value;
    const struct column plain = {"", "", "", C_TEXT};
    char text[200];

    fprintf(out, "%s:", ctl_text_of(item, "is"));
    cJSON_ArrayForEach(value, item)
    {
        show_value(&plain, value, text, sizeof text);
        if (strcmp(value->string, "is") == 0 || !text[0])
            continue;
        fprintf(out, " %s=", value->string);
        ctl_pad(out, text, 0, false);
    }
    fputc('\n', out);
}

static void show_notices(const cJSON *items, FILE *out)
{
    const cJSON *item;
    char when[48], words[600];

    cJSON_ArrayForEach(item, items)
    {
        if (strcmp(ctl_text_of(item, "is"), "notice") != 0)
            continue;
        ctl_when_show(ctl_text_of(item, "at"), when, sizeof when);
        ctl_notice(item, words, sizeof words);
        fprintf(out, "%6.0f  %s  ", ctl_number_of(item, "notice"), when);
        ctl_pad(out, words, 0, false);
        fputc('\n', out);
    }
}

/* True when an earlier item is of the same kind: its table has been printed. */
static bool was_shown(const cJSON *items, const cJSON *item)
{
    const char *is = ctl_text_of(item, "is");
    const cJSON *before;

    cJSON_ArrayForEach(before, items)
    {
        if (before == item)
            return false;
        if (strcmp(ctl_text_of(before, "is"), is) == 0)
            return true;
    }
    return false;
}

static void show_items(const cJSON *items, FILE *out)
{
    const cJSON *item;
    int kinds = 0;

    cJSON_ArrayForEach(item, items)
    {
        const char *is = ctl_text_of(item, "is");
        const struct shape *shape = shape_of(is);
        bool shown = was_shown(items, item);

        if (!shown && kinds++ > 0)
            fputc('\n', out);
        if (strcmp(is, "notice") == 0 && !shown)
            show_notices(items, out);
        else if (shape && shape->card)
            show_card(shape, item, out);
        else if (shape && !shown)
            show_rows(shape, items, out);
        else if (!shape && strcmp(is, "notice") != 0)
            show_plain(item, out);
    }
}

void ctl_show(const char *op, const cJSON *reply, FILE *out)
{
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(reply, "items");
    double id = ctl_number_of(reply, "id");

    if (strcmp(op, "share.recall") == 0)
        ctl_show_recall(reply, out);
    else if (ctl_nothing_of(op) && cJSON_GetArraySize(items) == 0)
        fprintf(out, "%s\n", ctl_nothing_of(op));
    else if (!ctl_nothing_of(op) && (cJSON_GetArraySize(items) == 0 || id > 0))
        ctl_show_done(op, id, out);
    if (cJSON_GetArraySize(items) > 0)
        show_items(items, out);
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "more")))
        ctl_show_more(op, items, out);
}
