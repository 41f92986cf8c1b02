/* import_kinds.c - the tables that can be imported: headings, Chinese ones beside, and their words.
 *
 * A file's kind follows from its headings: all that a kind needs are there, and all that are there
 * belong to it. Where two kinds would do, the one that needs more of them wins.
 */
#include <string.h>

#include "clients/tidectl/import.h"

#define DAYS "workday=工作日 restday=休息日=周末 holiday=节假日=假日 eve=节前"
#define WEEKDAYS                                                                                   \
    "mon=周一=一 tue=周二=二 wed=周三=三 thu=周四=四 fri=周五=五 sat=周六=六 sun=周日=日"

const struct import_kind import_kinds[] = {
    {"settings",
     "设置",
     "setting",
     0,
     1,
     {{"key", "设置项 名称", CELL_NAME, true, NULL, NULL},
      {"value", "值 数值", CELL_INT, true, NULL, NULL}}},
    {"places",
     "地点",
     "place",
     1,
     1,
     {{"place", "地点 编号 房号", CELL_NAME, true, NULL, NULL},
      {"kind", "类型 类别", CELL_WORD, true,
       "city=市 town=镇=街道=镇街 community=社区 grid=网格 compound=小区 building=楼幢=楼栋=幢=楼 "
       "stair=单元=楼道 household=住户=户=家庭 organisation=单位=企业=机构",
       NULL},
      {"parent", "上级 隶属 所属", CELL_NAME, false, NULL, "place"},
      {"title", "名称 标题", CELL_TEXT, false, NULL, NULL}}},
    {"people",
     "人员",
     "person",
     2,
     1,
     {{"person", "人员 人员编号", CELL_NAME, false, NULL, NULL},
      {"household", "房号 户号 住户", CELL_NAME, false, NULL, "place"},
      {"full_name", "姓名 名字", CELL_TEXT, false, NULL, NULL},
      {"phone", "电话 手机 手机号 联系电话", CELL_PHONE, false, NULL, NULL}}},
    {"roles",
     "角色",
     "role",
     3,
     3,
     {{"person", "人员 人员编号", CELL_NAME, true, NULL, "person"},
      {"role", "角色 职务", CELL_WORD, true,
       "resident=居民=业主 clerk=社工=文员=居委会 guard=保安=门卫 steward=红管家=楼道长 "
       "property=物业 "
       "committee=委员=业委会 gateway=网关 admin=管理员",
       NULL},
      {"place", "地点 范围", CELL_NAME, true, NULL, "place"}}},
    {"users",
     "账号",
     "user",
     4,
     1,
     {{"user", "账号 用户", CELL_NAME, true, NULL, NULL},
      {"person", "人员 人员编号", CELL_NAME, true, NULL, "person"},
      {"kind", "类型 类别", CELL_WORD, true, "app=手机=手机端 console=工作台 gateway=网关", NULL},
      {"credential", "凭据 密码散列", CELL_CREDENTIAL, false, NULL, NULL}}},
    {"vehicles",
     "车辆",
     "vehicle",
     5,
     1,
     {{"plate", "车牌 车牌号", CELL_PLATE, true, NULL, NULL},
      {"household", "房号 户号 住户", CELL_NAME, false, NULL, "place"},
      {"kind", "类型 类别", CELL_WORD, false,
       "resident=业主=业主车辆 emergency=应急=应急车辆 blocked=受限=黑名单 care=照护=护理", NULL}}},
    {"zones",
     "车区",
     "zone",
     6,
     1,
     {{"zone", "车区 区域", CELL_NAME, true, NULL, NULL},
      {"place", "地点 所在", CELL_NAME, true, NULL, "place"},
      {"sense", "感知 感知方式", CELL_WORDS, true,
       "gate=道闸=闸机=摄像头 sensor=地磁=传感器 hand=人工", NULL},
      {"outsiders", "对外 对外开放", CELL_FLAG, false, NULL, NULL},
      {"resolution", "决议 决议号", CELL_INT, false, NULL, NULL},
      {"walk_group", "步行线", CELL_INT, false, NULL, NULL},
      {"walk_m", "步行位置 步行米数", CELL_INT, false, NULL, NULL},
      {"risk_permille", "迟走风险 迟走风险千分比", CELL_INT, false, NULL, NULL},
      {"title", "名称 标题", CELL_TEXT, false, NULL, NULL}}},
    {"slots",
     "车位",
     "slot",
     7,
     1,
     {{"slot", "车位 车位号", CELL_NAME, true, NULL, NULL},
      {"zone", "车区 区域", CELL_NAME, true, NULL, "zone"},
      {"title", "产权 权属", CELL_WORD, true,
       "owned=自有=产权=业主 rented=租用=租赁 common=公共=共有 organisation=单位=企业", NULL},
      {"cls", "类型 车位类型", CELL_WORD, false,
       "standard=普通=标准 accessible=无障碍 charger=充电=充电桩 small=微型=小型", NULL},
      {"owner", "业主 所有人 房号", CELL_NAME, false, NULL, "place"},
      {"sensed", "地磁 传感器", CELL_FLAG, false, NULL, NULL}}},
    {"lanes",
     "车道",
     "lane",
     8,
     1,
     {{"lane", "车道", CELL_NAME, true, NULL, NULL},
      {"place", "地点 所在", CELL_NAME, true, NULL, "place"},
      {"dir", "方向", CELL_WORD, true, "both=双向 in=进=入口=进口 out=出=出口", NULL},
      {"gateway", "网关", CELL_NAME, false, NULL, "user"}}},
    {"windows",
     "开放时段",
     "window",
     9,
     8,
     {{"slot", "车位 车位号", CELL_NAME, true, NULL, "slot"},
      {"kind", "类型 类别", CELL_WORD, true, "weekly=每周 once=单次=一次", NULL},
      {"days", "日类", CELL_WORDS, false, DAYS, NULL},
      {"weekdays", "星期", CELL_WORDS, false, WEEKDAYS, NULL},
      {"from_date", "首日 开始日期", CELL_DATE, false, NULL, NULL},
      {"until_date", "末日 结束日期", CELL_DATE, false, NULL, NULL},
      {"opens", "开放 起 开始", CELL_HOUR, true, NULL, NULL},
      {"closes", "关闭 止 结束", CELL_HOUR, true, NULL, NULL}}},
    {0}};

const struct import_kind *import_kind_is(const char *is)
{
    for (const struct import_kind *kind = import_kinds; kind->name; kind++)
        if (strcmp(kind->is, is) == 0)
            return kind;
    return NULL;
}

int import_column_find(const struct import_kind *kind, const char *heading)
{
    for (int i = 0; i < IMPORT_COLUMNS_MAX && kind->columns[i].name; i++)
        if (strcasecmp(kind->columns[i].name, heading) == 0 ||
            ctl_has(kind->columns[i].aliases, heading))
            return i;
    return -1;
}

int import_roster_find(const char *heading)
{
    static const char *const names[] = {"plate 车牌 车牌号", "slot 车位 车位号", "zone 车区 区域",
                                        "title 产权 权属"};

    for (int i = 0; i < 4; i++)
        if (ctl_has(names[i], heading))
            return i;
    return -1;
}

const char *import_word(const char *words, const char *text)
{
    static char found[32];
    size_t len = strlen(text);

    if (len == 0)
        return NULL;
    while (*words) {
        size_t group = strcspn(words, " "), name = strcspn(words, " =");

        for (size_t at = 0; at <= group;) {
            size_t word = strcspn(words + at, " =");

            if (word == len && strncasecmp(words + at, text, len) == 0) {
                snprintf(found, sizeof found, "%.*s", (int)name, words);
                return found;
            }
            at += word + 1;
        }
        words += group + (words[group] != '\0');
    }
    return NULL;
}

/* How well a heading suits a kind: the number of needed columns, -1: not at all. A people file may
 * do without the person when the household is there, and may bring a roster's columns. */
static int suits(const struct import_kind *kind, const struct csv_row *heading,
                 int map[CSV_COLUMNS_MAX])
{
    bool people = strcmp(kind->is, "person") == 0, seen[IMPORT_COLUMNS_MAX] = {false};
    int needed = 0;

    for (size_t i = 0; i < heading->count; i++) {
        map[i] = heading->cells[i][0] ? import_column_find(kind, heading->cells[i]) : -2;
        if (map[i] == -1 && !(people && import_roster_find(heading->cells[i]) >= 0))
            return -1;
        if (map[i] >= 0)
            seen[map[i]] = true;
    }
    for (int i = 0; i < IMPORT_COLUMNS_MAX && kind->columns[i].name; i++) {
        if (kind->columns[i].required && !seen[i])
            return -1;
        needed += kind->columns[i].required;
    }
    if (people && !seen[0] && !seen[1])
        return -1;
    return people && (seen[2] || seen[3] || seen[0]) ? 1 : needed;
}

/* The kind of which most headings are known, for a reason that helps. */
static void explain(const struct csv_row *heading, char *why, size_t cap)
{
    const struct import_kind *best = import_kinds;
    int most = -1;
    char missing[300] = "", unknown[300] = "";

    for (const struct import_kind *kind = import_kinds; kind->name; kind++) {
        int known = 0;

        for (size_t i = 0; i < heading->count; i++)
            known += import_column_find(kind, heading->cells[i]) >= 0;
        if (known > most) {
            most = known;
            best = kind;
        }
    }
    if (most <= 0) {
        snprintf(why, cap,
                 CTL_T("the first line must hold headings, such as \"slot,zone,title\"; see "
                       "`tidectl help import`",
                       "首行应为表头,例如“车位,车区,产权”;见 `tidectl help import`"));
        return;
    }
    for (int i = 0; i < IMPORT_COLUMNS_MAX && best->columns[i].name; i++) {
        bool there = !best->columns[i].required;

        for (size_t k = 0; k < heading->count; k++)
            there = there || import_column_find(best, heading->cells[k]) == i;
        if (!there)
            snprintf(missing + strlen(missing), sizeof missing - strlen(missing), " %s",
                     best->columns[i].name);
    }
    for (size_t k = 0; k < heading->count; k++)
        if (heading->cells[k][0] && import_column_find(best, heading->cells[k]) < 0)
            snprintf(unknown + strlen(unknown), sizeof unknown - strlen(unknown), " %s",
                     heading->cells[k]);
    snprintf(why, cap, CTL_T("looks like %s, but%s%s%s%s%s", "像是“%s”表,但%s%s%s%s%s"),
             CTL_T(best->name, best->zh), missing[0] ? CTL_T(" it lacks", "缺少列") : "", missing,
             missing[0] && unknown[0] ? CTL_T(" and", ",且") : "",
             unknown[0] ? CTL_T(" has unknown headings", "有未知表头") : "", unknown);
}

const struct import_kind *import_kind_find(const struct csv_row *heading,
                                           int ret_map[CSV_COLUMNS_MAX], char *why, size_t cap)
{
    const struct import_kind *best = NULL;
    int most = -1, map[CSV_COLUMNS_MAX];

    for (const struct import_kind *kind = import_kinds; kind->name; kind++) {
        int score = suits(kind, heading, map);

        if (score <= most)
            continue;
        most = score;
        best = kind;
        memcpy(ret_map, map, sizeof map);
    }
    if (!best) {
        explain(heading, why, cap);
        return NULL;
    }
    for (size_t i = 0; i < heading->count; i++)
        for (size_t k = 0; k < i; k++)
            if (ret_map[i] >= 0 && ret_map[i] == ret_map[k]) {
                snprintf(why, cap,
                         CTL_T("the headings %s and %s mean the same", "表头 %s 与 %s 重复"),
                         heading->cells[k], heading->cells[i]);
                return NULL;
            }
    return best;
}
