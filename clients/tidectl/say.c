/* say.c - the protocol's codes in plain sentences: what, why, what would help.
 *
 * The daemon answers codes and parameters, never prose; this is the translation. Each row has the
 * sentence and the advice, English and Chinese. A code without a row is shown as it is.
 */
#include <stdarg.h>
#include <string.h>

#include "clients/tidectl/tidectl.h"

bool ctl_chinese;
const char *ctl_doing = "";

struct sentence {
    const char *word;
    const char *en, *zh;       /* what happened */
    const char *en_do, *zh_do; /* what to do; NULL: nothing to say */
};

static const struct sentence codes[] = {
    {"invalid", "The request cannot be understood", "请求无法理解", NULL, NULL},
    {"not_authorized", "You may not do this", "您无权进行此操作",
     "`tidectl whoami` shows your roles; ask the committee's desk for the one you need",
     "用 `tidectl whoami` 查看自己的角色;如需权限请联系居委会"},
    {"not_found", "There is no such thing", "找不到所指的对象",
     "check the spelling; `tidectl zones` and `tidectl list` show what there is",
     "请检查拼写;`tidectl zones`、`tidectl list` 可查看现有的车区和预约"},
    {"conflict", "It clashes with what was promised before", "与已有的安排冲突", NULL, NULL},
    {"full", "There is no place", "没有空位", NULL, NULL},
    {"expired", "The request came too late and was not done", "请求已过期,未执行",
     "check the clock of this machine (timedatectl), then try again",
     "请检查本机时钟(timedatectl),然后重试"},
    {"stale", "Something newer is known already", "已有更新的信息", NULL, NULL},
    {"quota", "A limit is reached", "已达上限", NULL, NULL},
    {"busy", "The daemon is busy; nothing was done", "系统繁忙,未执行任何操作",
     "try again in a few seconds", "请稍候几秒再试"},
    {"unavailable", "The daemon cannot write just now; nothing was done",
     "系统暂时无法写入,未执行任何操作", "try again; if it lasts, look at its log and its disk",
     "请重试;若持续出现,请检查系统日志和磁盘空间"},
    {"unknown_op", "The daemon does not know this operation", "系统不认识此操作",
     "is the daemon older than this tidectl? compare `tided --version` and `tidectl --version`",
     "系统版本可能较旧:请比较 `tided --version` 与 `tidectl --version`"},
    {"moved", "This domain is served elsewhere", "该社区已迁移到别处",
     "ask the operator for its new address (--uri)", "请向管理员询问新地址(--uri)"},
};

static const struct sentence whys[] = {
    {"in_the_past", "that time is over", "该时间已过",
     "choose a later time (--from now is allowed)", "请选择更晚的时间(可用 --from now)"},
    {"beyond_horizon", "that is too far ahead", "时间过远",
     "bookings open some days ahead; try nearer", "只能预约近期的时间,请选近一些"},
    {"ends_before_start", "the end is not after the start", "结束时间不晚于开始时间",
     "give --until as a time after --from, or as a span: --until +2h",
     "--until 应晚于 --from,也可写成时长:--until +2h"},
    {"too_long", "that is longer than one stay may be", "超过单次停车时长上限",
     "book a shorter time", "请缩短时间"},
    {"no_window", "no slot is open for sharing at that time", "该时段没有开放的车位",
     "`tidectl tide ZONE` shows when slots are open", "`tidectl tide 车区` 可查看开放时段"},
    {"all_taken", "all places are promised to others at that time", "该时段车位已全部约出",
     "try another time or zone; `tidectl tide ZONE` shows the day",
     "请换时间或车区;`tidectl tide 车区` 可查看全天情况"},
    {"in_pieces", "at each moment there is a place, but not one for the whole time",
     "每个时刻都有空位,但没有一个车位能停满全程", "take one of the times that are offered",
     "请选用下列可约时段"},
    {"household_cap", "the household has as many live bookings as it may have",
     "本户有效预约数已达上限", "cancel one that is not needed (`tidectl list`)",
     "请取消不需要的预约(`tidectl list`)"},
    {"minutes_short", "the household's minutes do not suffice", "本户分钟数不足",
     "book a shorter time, or lend a slot to earn minutes (`tidectl account`)",
     "请缩短时间,或共享车位以获得分钟数(`tidectl account`)"},
    {"day_cap", "the household's minutes of that day are used up", "本户当日可约分钟数已达上限",
     "book a shorter time, or another day", "请缩短时间或改约其他日期"},
    {"month_cap", "the household's minutes of that month are used up", "本户当月可约分钟数已达上限",
     "book a shorter time, or wait for the next month", "请缩短时间或下月再约"},
    {"strikes",
     "the household has as many strikes as it may have; it may book only what starts soon",
     "本户违规记录已达上限,只能预约即将开始的时段", "see `tidectl strike list`",
     "见 `tidectl strike list`"},
    {"own_case", "who is party to it or reported it does not decide it", "当事人及举报人不得裁定",
     NULL, NULL},
    {"plate_overlap", "this plate already has a booking at that time", "该车牌在此时段已有预约",
     "see `tidectl list`; cancel or extend that one", "见 `tidectl list`;可取消或延长原预约"},
    {"already_parked", "the car is there already", "车辆已在场", NULL, NULL},
    {"already_ended", "it is over already", "已经结束", NULL, NULL},
    {"not_yours", "it belongs to somebody else", "不属于您",
     "the committee's desk can do it on somebody's behalf (--for)", "居委会可代办(--for)"},
    {"role_missing", "your user does not have the role for it", "您的账号没有所需角色", NULL, NULL},
    {"promised", "the time is promised to somebody", "该时段已约给他人",
     "wait until it is over, or recall the slot (`tidectl recall`)",
     "请等其结束,或收回车位(`tidectl recall`)"},
    {"pool_full", "a limit of this installation is reached", "已达本系统容量上限",
     "tell the operator (pool sizes in tided.conf)", "请告知管理员(tided.conf 中的容量设置)"},
    {"unknown_plate", "nobody knows this plate here", "系统中没有此车牌", NULL, NULL},
    {"too_early", "it is too early", "时间未到", "come nearer to the start of the booking",
     "请在临近预约开始时再来"},
    {"ambiguous", "the plate could be one of two", "车牌可能有两种读法", "give the whole plate",
     "请输入完整车牌"},
    {"blocked", "this plate is blocked", "该车牌已被限制", "ask the committee's desk",
     "请联系居委会"},
    {"revoked", "this user is revoked", "该账号已停用", "ask the committee's desk for a new one",
     "请联系居委会重新开通"},
    {"not_open_to_outsiders", "this zone is not open to people from outside", "该车区未对外开放",
     "opening it needs the owners' resolution on file", "对外开放须先有业主大会决议备案"},
    {"clock_untrusted", "the daemon's clock jumped and waits to be confirmed",
     "系统时钟曾跳变,等待确认", "when the time is right: `tidectl clock accept`",
     "确认时间无误后执行:`tidectl clock accept`"},
    {"duplicate", "it is there already", "已经存在", NULL, NULL},
    {"resident", "a household's own plate has a standing right", "业主车辆可随时进出", NULL, NULL},
    {"booking", "a booking stands in the way", "有预约占用", NULL, NULL},
    {"emergency", "an emergency vehicle", "应急车辆", NULL, NULL},
    {"recall", "the owner has called the slot back", "业主已收回车位", NULL, NULL},
    {"calendar", "the calendar of workdays changed", "工作日历有变", NULL, NULL},
    {"blackout", "the place is closed at that time", "该时段车位停用", NULL, NULL},
    {"withdrawn", "it was withdrawn", "已撤回", NULL, NULL},
    {"overstayer", "the place promised is still taken by another car", "所约车位仍被占用", NULL,
     NULL},
    {"in_use", "something live still depends on it", "仍有有效数据依赖于它",
     "end or move what uses it first", "请先结束或移走相关数据"},
    {"visitor", "a visitor's booking", "访客预约", NULL, NULL},
    {"to_be_drawn", "that time is decided by a draw", "该时段由抽签决定",
     "put in a wish: `tidectl draw ask`; `tidectl draw list` shows when",
     "请用 `tidectl draw ask` 申请;`tidectl draw list` 可查看时间"},
    {"fits_now", "there is a place: nothing to wait for", "现有空位,无需候补",
     "book it: `tidectl book`", "请直接预约:`tidectl book`"},
    {"preempted", "an urgent visit needed the place", "急救或照护车辆需用该车位", NULL, NULL},
    {"not_certified", "the plate is not on file as an emergency vehicle or certified care",
     "该车牌未登记为急救或持证照护车辆", "have the desk enter it: vehicle, kind care",
     "请物业先登记车辆(类型:照护)"},
    {"kept_for_late",
     "there is a place, but cars leave late there: it must stay free for a while after you",
     "该时段虽有空位,但本区常有车辆晚走,须在您之后留出余量", "take a sooner end, as offered",
     "请改选更早的离开时间(见建议)"},
    {"not_confirmed", "it was not confirmed in time", "未在规定时间内确认",
     "wait again: `tidectl wait`", "可重新候补:`tidectl wait`"},
    {"not_drawn", "the lot fell on others", "未中签", NULL, NULL},
    {"draw_closed", "its wishes are collected already", "申请已截止",
     "what is left can be booked when it is over", "抽签结束后余位可直接预约"},
    {"draw_void", "the draw came to nothing", "此次抽签作废", NULL, NULL},
};

static const struct sentence *find(const struct sentence *rows, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].word, word) == 0)
            return &rows[i];
    return NULL;
}

void ctl_complain(const char *format, ...)
{
    va_list args;

    fputs("tidectl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

const char *ctl_text_of(const cJSON *object, const char *member)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, member);

    return cJSON_IsString(value) ? value->valuestring : "";
}

double ctl_number_of(const cJSON *object, const char *member)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, member);

    return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

bool ctl_has(const char *words, const char *word)
{
    size_t len = strlen(word);

    if (len == 0)
        return false; /* it would be found behind the last one, too */
    for (const char *at = words; at && (at = strstr(at, word)); at++)
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

/* Appends; what does not fit is cut. */
static void add(char *out, size_t cap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(char *out, size_t cap, const char *format, ...)
{
    size_t len = strlen(out);
    va_list args;

    if (len >= cap)
        return;
    va_start(args, format);
    vsnprintf(out + len, cap - len, format, args);
    va_end(args);
}

/* What would have fitted, from free_from, free_until and limit. */
static void add_offer(char *out, size_t cap, const cJSON *reply)
{
    char from[48], until[48];
    double limit = ctl_number_of(reply, "limit");

    ctl_when_show(ctl_text_of(reply, "free_from"), from, sizeof from);
    ctl_when_show(ctl_text_of(reply, "free_until"), until, sizeof until);
    if (from[0] && until[0])
        add(out, cap, CTL_T("\n  it would fit from %s until %s", "\n  可约时段:%s 至 %s"), from,
            until);
    else if (until[0])
        add(out, cap, CTL_T("\n  leave by %s and it fits", "\n  若在 %s 前离开即可"), until);
    else if (from[0])
        add(out, cap, CTL_T("\n  it would fit from %s on", "\n  %s 起可约"), from);
    if (limit != 0)
        add(out, cap, CTL_T("\n  the limit is %.0f", "\n  上限为 %.0f"), limit);
    if (cJSON_HasObjectItem(reply, "left_min"))
        add(out, cap, CTL_T(", %.0f minutes of it are left", ",还剩 %.0f 分钟"),
            ctl_number_of(reply, "left_min"));
}

/* To wait: where one would stand, and the chance as far as it is known. */
static void add_wait(char *out, size_t cap, const cJSON *item)
{
    double of = ctl_number_of(item, "of");

    add(out, cap,
        CTL_T("\n  or wait for it (`tidectl wait`): you would be no. %.0f",
              "\n  也可候补(`tidectl wait`):排第 %.0f 位"),
        ctl_number_of(item, "position"));
    if (of > 0)
        add(out, cap,
            CTL_T("; of %.0f who began there, %.0f %% would be served",
                  ";据以往 %.0f 例,约 %.0f %% 可候补到"),
            of, ctl_number_of(item, "chance_pct"));
    else
        add(out, cap, CTL_T("; the chance is not known yet", ";成功率尚无数据"));
}

/* One thing in the way, or one offer, a line each. */
static void add_item(char *out, size_t cap, const cJSON *item)
{
    const char *kind = ctl_text_of(item, "kind"), *zone = ctl_text_of(item, "zone");
    const struct sentence *body = find(whys, sizeof whys / sizeof *whys, ctl_text_of(item, "why"));
    char from[48], until[48];

    ctl_when_show(ctl_text_of(item, "start"), from, sizeof from);
    ctl_when_show(ctl_text_of(item, "end"), until, sizeof until);
    if (strcmp(ctl_text_of(item, "is"), "binding") == 0)
        add(out, cap, CTL_T("\n  in the way: %s to %s, %s", "\n  受限时段:%s 至 %s,%s"), from,
            until, body ? CTL_T(body->en, body->zh) : ctl_text_of(item, "why"));
    else if (strcmp(ctl_text_of(item, "is"), "swap") == 0)
        add(out, cap,
            CTL_T(
                "\n  yours instead, with %.0f minutes for you: slot %s (zone %s, %.0f m to walk): "
                "--swap %s",
                "\n  可改停(另得 %.0f 分钟):车位 %s(%s 车区,步行 %.0f 米):--swap %s"),
            ctl_number_of(item, "minutes"), ctl_text_of(item, "slot"), zone,
            ctl_number_of(item, "walk_m"), ctl_text_of(item, "slot"));
    else if (strcmp(kind, "elsewhere") == 0)
        add(out, cap,
            CTL_T("\n  it fits in zone %s, %.0f m to walk: %s to %s",
                  "\n  可改约 %s 车区(步行 %.0f 米):%s 至 %s"),
            zone, ctl_number_of(item, "walk_m"), from, until);
    else if (strcmp(kind, "shorter") == 0)
        add(out, cap, CTL_T("\n  it fits if shorter: %s to %s", "\n  缩短即可:%s 至 %s"), from,
            until);
    else if (strcmp(kind, "later") == 0)
        add(out, cap, CTL_T("\n  it fits later: %s to %s", "\n  推后即可:%s 至 %s"), from, until);
    else if (strcmp(kind, "earlier") == 0)
        add(out, cap, CTL_T("\n  it fits earlier: %s to %s", "\n  提前即可:%s 至 %s"), from, until);
    else if (strcmp(kind, "wait") == 0)
        add_wait(out, cap, item);
}

/* What stood in the way and what is offered; false when the reply says neither. */
static bool add_items(char *out, size_t cap, const cJSON *reply)
{
    const cJSON *item;
    bool offered = false;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(reply, "items"))
    {
        const char *is = ctl_text_of(item, "is");

        offered |= strcmp(is, "offer") == 0;
        if (strcmp(is, "offer") == 0 || strcmp(is, "binding") == 0 || strcmp(is, "swap") == 0)
            add_item(out, cap, item);
    }
    return offered;
}

void ctl_refusal(const char *what, const cJSON *reply, char *out, size_t cap)
{
    const char *code = ctl_text_of(reply, "code"), *why = ctl_text_of(reply, "why");
    const char *at = ctl_text_of(reply, "at"), *detail = ctl_text_of(reply, "detail");
    const struct sentence *head = find(codes, sizeof codes / sizeof *codes, code);
    const struct sentence *body = find(whys, sizeof whys / sizeof *whys, why);

    snprintf(out, cap, "%s: %s", what, head ? CTL_T(head->en, head->zh) : code);
    if (body)
        add(out, cap, CTL_T(": %s", ":%s"), CTL_T(body->en, body->zh));
    else if (why[0])
        add(out, cap, " (%s)", why);
    if ((at[0] || detail[0]) && strcmp(code, "not_authorized") != 0)
        add(out, cap, "\n  %s%s%s", at, at[0] && detail[0] ? ": " : "", detail);
    if (!add_items(out, cap, reply))
        add_offer(out, cap, reply);
    if (body && body->en_do)
        add(out, cap, "\n  %s", CTL_T(body->en_do, body->zh_do));
    else if (head && head->en_do)
        add(out, cap, "\n  %s", CTL_T(head->en_do, head->zh_do));
    add(out, cap, CTL_T("\n  [code %s%s%s]", "\n  [代码 %s%s%s]"), code, why[0] ? " " : "", why);
}
