/* command.c - every subcommand as data: its operation, its parameters, its words of help.
 *
 * A parameter with a member becomes that member of the request; a command without a function of its
 * own just asks its operation and shows the reply. From these tables come the parsing, the checks,
 * the help, and the shell's completion (tidectl __words).
 */
#include <string.h>

#include "clients/tidectl/tidectl.h"

#define VIA "app phone desk visit paper"
#define CLASSES "standard accessible charger small"
#define DAYS "workday restday holiday eve"
#define WEEKDAYS "mon tue wed thu fri sat sun"
#define END                                                                                        \
    {                                                                                              \
        0                                                                                          \
    }

/* Parameters that several commands share. */
/* clang-format off */
#define P_FOR \
    {"--for", "for", CTL_TEXT, false, NULL, \
     "a household (3-2-501) or person (3-2-501/1) to act for", \
     "代办对象:户号(3-2-501)或人员编号(3-2-501/1)"}
#define P_VIA \
    {"--via", "via", CTL_WORD, false, VIA, \
     "how the wish came: app, phone, desk, visit, paper", \
     "来源:app 手机、phone 电话、desk 柜台、visit 上门、paper 纸质"}
#define P_ZONE \
    {"--zone", "zone", CTL_TEXT, false, NULL, \
     "the zone; may be left out when there is only one", \
     "车区;只有一个车区时可省略"}
#define P_FROM(needed) \
    {"--from", "start", CTL_TIME, needed, NULL, \
     "begin: now, 18:00, \"tomorrow 08:30\", +1h", \
     "开始:now、18:00、\"明天 08:30\"、+1h"}
#define P_UNTIL(needed) \
    {"--until", "end", CTL_TIME, needed, NULL, \
     "end: 22:00, or a span from the begin: +2h30m", \
     "结束:22:00,或从开始算的时长:+2h30m"}
#define P_CLASS \
    {"--class", "cls", CTL_WORD, false, CLASSES, \
     "standard, accessible, charger or small", \
     "车位类型:standard 普通、accessible 无障碍、charger 充电、small 微型"}
#define P_VISITOR \
    {"--visitor", "visitor", CTL_FLAG, false, NULL, \
     "the car is a visitor's", \
     "访客车辆"}
#define P_DAYS \
    {"--days", "days", CTL_WORDS, false, DAYS, \
     "workday+restday+holiday+eve, some of them", \
     "日类:workday 工作日、restday 休息日、holiday 节假日、eve 节前,用 + 连接"}
#define P_WEEKDAYS \
    {"--weekdays", "weekdays", CTL_WORDS, false, WEEKDAYS, \
     "mon+tue+…+sun, some of them", \
     "星期:mon+tue+…+sun,用 + 连接"}
#define P_OPENS(needed) \
    {"--opens", "opens", CTL_HOUR, needed, NULL, \
     "begin on each day: 08:30", \
     "每日开始时刻:08:30"}
#define P_CLOSES(needed) \
    {"--closes", "closes", CTL_HOUR, needed, NULL, \
     "end on each day; not after opens: the next day", \
     "每日结束时刻;不晚于开始则为次日"}
#define P_FROM_DATE(needed) \
    {"--from-date", "from_date", CTL_DATE, needed, NULL, \
     "first day: 2019-05-20, today, mon", \
     "首日:2019-05-20、今天、周一"}
#define P_UNTIL_DATE(needed) \
    {"--until-date", "until_date", CTL_DATE, needed, NULL, \
     "last day", \
     "末日"}
#define P_BOOKING \
    {"BOOKING", "booking", CTL_INT, true, NULL, \
     "number of the booking (`tidectl list`)", \
     "预约编号(见 `tidectl list`)"}
#define P_PLATE \
    {"PLATE", "plate", CTL_PLATE, true, NULL, \
     "the car's plate: 浙F12345", \
     "车牌:浙F12345"}
/* clang-format on */

static const struct ctl_param p_none[] = {END};
static const struct ctl_param p_unwait[] = {{"WAIT", "waiting", CTL_INT, true, NULL,
                                             "number of the wait (`tidectl list`)",
                                             "候补编号(见 `tidectl list`)"},
                                            P_VIA,
                                            END};
static const struct ctl_param p_confirm[] = {P_BOOKING, P_VIA, END};
static const struct ctl_param p_import[] = {
    {"FILE", NULL, CTL_FILES, true, NULL, "CSV files: places, people, roles, users, vehicles, …",
     "CSV 文件:地点、人员、角色、账号、车辆……"},
    {"--yes", NULL, CTL_FLAG, false, NULL, "write without asking", "不再询问,直接写入"},
    {"--check", NULL, CTL_FLAG, false, NULL, "only check, write nothing", "只检查,不写入"},
    {"--secrets", NULL, CTL_PATH, false, NULL,
     "make secrets for users without a credential, write them to this new file",
     "为没有凭据的账号生成密码,写入此新文件"},
    END};
static const struct ctl_param p_share[] = {
    {"SLOT", "slot", CTL_TEXT, true, NULL, "your slot: A-017", "您的车位:A-017"},
    P_DAYS,
    P_WEEKDAYS,
    P_OPENS(false),
    P_CLOSES(false),
    P_FROM_DATE(false),
    P_UNTIL_DATE(false),
    {"--from", "start", CTL_TIME, false, NULL, "for one time only: begin", "仅一次:开始时间"},
    {"--until", "end", CTL_TIME, false, NULL, "for one time only: end", "仅一次:结束时间"},
    P_VIA,
    END};
static const struct ctl_param p_unshare[] = {{"WINDOW", "window", CTL_INT, true, NULL,
                                              "number of the window (`tidectl shares`)",
                                              "开放时段编号(见 `tidectl shares`)"},
                                             P_VIA,
                                             END};
static const struct ctl_param p_shares[] = {
    {"--slot", "slot", CTL_TEXT, false, NULL, "only this slot", "仅此车位"}, P_FOR, END};
static const struct ctl_param p_recall[] = {
    {"SLOT", "slot", CTL_TEXT, true, NULL, "your slot", "您的车位"},
    P_FROM(true),
    P_UNTIL(true),
    {"--plan", "plan", CTL_FLAG, false, NULL, "only tell what would happen", "只看方案,不执行"},
    {"--swap", "swap", CTL_TEXT, false, NULL,
     "when it cannot be had: the slot to take instead, as offered", "无法收回时,改用所提供的车位"},
    P_VIA,
    END};
static const struct ctl_param p_quote[] = {
    {"PLATE", "plate", CTL_PLATE, false, NULL, "the car's plate", "车牌"},
    P_ZONE,
    P_FROM(false),
    P_UNTIL(true),
    P_CLASS,
    END};
static const struct ctl_param p_book[] = {
    P_PLATE,
    P_ZONE,
    P_FROM(false),
    P_UNTIL(true),
    P_CLASS,
    P_FOR,
    P_VIA,
    P_VISITOR,
    {"--urgent", "urgent", CTL_FLAG, false, NULL,
     "emergency or certified care: others may have to give way", "急救或持证照护:必要时请他人让位"},
    END};
static const struct ctl_param p_wait[] = {
    P_PLATE, P_ZONE, P_FROM(false), P_UNTIL(true), P_CLASS, P_FOR, P_VIA, P_VISITOR, END};
static const struct ctl_param p_repeat[] = {P_PLATE,
                                            P_ZONE,
                                            P_DAYS,
                                            P_WEEKDAYS,
                                            P_OPENS(true),
                                            P_CLOSES(true),
                                            P_FROM_DATE(true),
                                            P_UNTIL_DATE(true),
                                            P_CLASS,
                                            P_FOR,
                                            P_VIA,
                                            P_VISITOR,
                                            END};
static const struct ctl_param p_cancel[] = {
    {"BOOKING", "booking", CTL_INT, false, NULL, "number of the booking", "预约编号"},
    {"--series", "series", CTL_INT, false, NULL, "number of a series instead", "周期预约编号"},
    P_VIA,
    END};
static const struct ctl_param p_extend[] = {P_BOOKING,
                                            {"--until", "end", CTL_TIME, true, NULL,
                                             "new end: 22:00, or a span from now: +1h",
                                             "新的结束时间:22:00,或从现在算:+1h"},
                                            P_VIA,
                                            END};
static const struct ctl_param p_arrive[] = {
    {"WHAT", NULL, CTL_TEXT, true, NULL, "number of the booking, or a plate", "预约编号或车牌"},
    P_ZONE,
    {"--slot", "slot", CTL_TEXT, false, NULL, "the slot taken, when not the one booked",
     "实际停放的车位(与预约不同时)"},
    P_VIA,
    END};
static const struct ctl_param p_leave[] = {
    {"WHAT", NULL, CTL_TEXT, true, NULL, "number of the booking, or a plate", "预约编号或车牌"},
    P_VIA,
    END};
static const struct ctl_param p_for[] = {P_FOR, END};
static const struct ctl_param p_history[] = {
    P_FOR,
    {"--before", "before", CTL_INT, false, NULL, "older than this booking", "早于此预约"},
    END};
static const struct ctl_param p_tide[] = {
    {"ZONE", "zone", CTL_TEXT, false, NULL, "the zone", "车区"},
    {"--from", "start", CTL_TIME, false, NULL, "first hour (now)", "起始小时(默认现在)"},
    END};
static const struct ctl_param p_forecast[] = {
    {"ZONE", "zone", CTL_TEXT, false, NULL, "the zone", "车区"},
    {"--hours", "hours", CTL_INT, false, NULL, "so many hours (48)", "小时数(默认 48)"},
    END};
static const struct ctl_param p_watch[] = {
    {"ZONE", "zone", CTL_TEXT, false, NULL, "only this zone", "仅此车区"},
    {"--count", NULL, CTL_INT, false, NULL, "end after so many lines", "输出若干行后结束"},
    END};
static const struct ctl_param p_zones[] = {
    {"--after", "after", CTL_TEXT, false, NULL, "those behind this zone", "此车区之后"}, END};
static const struct ctl_param p_inbox[] = {
    {"--after", "after", CTL_INT, false, NULL, "newer than this notice", "晚于此通知"}, P_FOR, END};
static const struct ctl_param p_person[] = {
    {"PERSON", "person", CTL_TEXT, true, NULL, "the person's key: 3-2-501/1", "人员编号:3-2-501/1"},
    END};
static const struct ctl_param p_correct[] = {
    {"PERSON", "person", CTL_TEXT, true, NULL, "the person's key: 3-2-501/1", "人员编号:3-2-501/1"},
    {"--full-name", "full_name", CTL_TEXT, false, NULL, "the right name", "正确的姓名"},
    {"--phone", "phone", CTL_TEXT, false, NULL, "the right number", "正确的电话"},
    P_VIA,
    END};
static const struct ctl_param p_forget[] = {
    {"PERSON", "person", CTL_TEXT, false, NULL, "the person's key: 3-2-501/1",
     "人员编号:3-2-501/1"},
    {"--plate", "plate", CTL_PLATE, false, NULL, "a plate instead of a person", "改为忘记此车牌"},
    {"--yes", NULL, CTL_FLAG, false, NULL, "do not ask", "不再询问"},
    END};
static const struct ctl_param p_sheet[] = {
    {"ZONE", "zone", CTL_TEXT, false, NULL, "the zone", "车区"},
    {"--from", "start", CTL_TIME, false, NULL, "begin (the daemon's choice)", "开始"},
    {"--until", "end", CTL_TIME, false, NULL, "end", "结束"},
    {"--after", "after", CTL_INT, false, NULL, "behind this booking", "此预约之后"},
    END};
static const struct ctl_param p_incidents[] = {
    {"--zone", "zone", CTL_TEXT, false, NULL, "only this zone", "仅此车区"},
    {"--after", "after", CTL_INT, false, NULL, "behind this incident", "此事件之后"},
    END};
static const struct ctl_param p_incident[] = {
    {"INCIDENT", "incident", CTL_INT, true, NULL, "number of the incident", "事件编号"},
    P_VIA,
    END};
static const struct ctl_param p_gate_open[] = {
    {"LANE", "lane", CTL_TEXT, true, NULL, "the lane", "车道"},
    {"--plate", "plate", CTL_PLATE, false, NULL, "whose plate", "车牌"},
    {"--dir", "dir", CTL_WORD, false, "both in out", "in or out", "方向:in 进、out 出"},
    END};
static const struct ctl_param p_gate_log[] = {
    {"--lane", "lane", CTL_TEXT, false, NULL, "only this lane", "仅此车道"},
    {"--before", "before", CTL_INT, false, NULL, "older than this passage", "早于此记录"},
    END};
static const struct ctl_param p_user_add[] = {
    {"USER", NULL, CTL_TEXT, true, NULL, "a new name for one device: 3-2-501-app",
     "新账号名(一台设备一个):3-2-501-app"},
    {"--person", NULL, CTL_TEXT, true, NULL, "whose: the person's key", "所属人员编号"},
    {"--kind", NULL, CTL_WORD, false, "app console gateway", "app (as a rule), console, gateway",
     "类型:app(默认)、console 工作台、gateway 网关"},
    {"--secret-out", NULL, CTL_PATH, false, NULL,
     "write the secret to this new file, do not show it", "把密码写入此新文件,不显示"},
    END};
static const struct ctl_param p_user[] = {{"USER", NULL, CTL_TEXT, true, NULL, "the user", "账号"},
                                          END};
static const struct ctl_param p_credential[] = {
    {"--secret-out", NULL, CTL_PATH, false, NULL,
     "write the secret to this new file, do not show it", "把密码写入此新文件,不显示"},
    END};
static const struct ctl_param p_calendar[] = {{"FILE", NULL, CTL_FILES, true, NULL,
                                               "a holiday-cn file: 2026.json",
                                               "holiday-cn 文件:2026.json"},
                                              END};
static const struct ctl_param p_setting_set[] = {
    {"KEY", "key", CTL_TEXT, true, NULL, "the setting: no_show_min", "设置项:no_show_min"},
    {"VALUE", "value", CTL_INT, true, NULL, "a number; the unit is in the name", "数值,单位见名称"},
    END};
static const struct ctl_param p_setting_get[] = {
    {"KEY", NULL, CTL_TEXT, false, NULL, "one setting; all when left out", "某一项;省略则全部"},
    END};
static const struct ctl_param p_blackout[] = {
    {"--zone", "zone", CTL_TEXT, false, NULL, "the zone to close", "停用的车区"},
    {"--slot", "slot", CTL_TEXT, false, NULL, "or one slot", "或一个车位"},
    P_FROM(true),
    P_UNTIL(true),
    P_VIA,
    END};
static const struct ctl_param p_verify[] = {
    {"DATABASE", NULL, CTL_TEXT, false, NULL, "the database file, on this machine",
     "本机上的数据库文件"},
    {"--tided", NULL, CTL_PATH, false, NULL, "the daemon's program", "tided 程序的位置"},
    {"--conf", NULL, CTL_PATH, false, NULL, "its configuration file", "其配置文件"},
    END};
static const struct ctl_param p_why[] = {
    {"WHAT", NULL, CTL_TEXT, true, NULL, "number of a booking, or USER:RID of a request",
     "预约编号,或请求的 账号:rid"},
    {"--tided", NULL, CTL_PATH, false, NULL, "the daemon's program", "tided 程序的位置"},
    {"--conf", NULL, CTL_PATH, false, NULL, "its configuration file", "其配置文件"},
    END};
static const struct ctl_param p_raw[] = {
    {"OP", NULL, CTL_TEXT, true, NULL, "an operation: parking.list", "操作名:parking.list"},
    {"JSON", NULL, CTL_TEXT, false, NULL, "its members, without rid and expires; - reads stdin",
     "参数(JSON,不含 rid 与 expires);- 表示读标准输入"},
    END};
static const struct ctl_param p_rules[] = {{"VERSION", "rules_version", CTL_INT, true, NULL,
                                            "the version that was read and accepted",
                                            "已阅读并同意的版本号"},
                                           P_FOR,
                                           P_VIA,
                                           END};
static const struct ctl_param p_strike_list[] = {
    {"--zone", "zone", CTL_TEXT, false, NULL, "those of a zone that wait for a decision",
     "某车区待裁定的记录"},
    P_FOR,
    {"--after", "after", CTL_INT, false, NULL, "behind this strike", "此记录之后"},
    END};
static const struct ctl_param p_strike_history[] = {
    P_FOR,
    {"--before", "before", CTL_INT, false, NULL, "older than this strike", "早于此记录"},
    END};
static const struct ctl_param p_strike_contest[] = {
    {"STRIKE", "strike", CTL_INT, true, NULL, "number of the strike", "违规记录编号"}, P_VIA, END};
static const struct ctl_param p_strike_decide[] = {
    {"STRIKE", "strike", CTL_INT, true, NULL, "number of the strike", "违规记录编号"},
    {"VERDICT", "verdict", CTL_WORD, true, "upheld void", "upheld or void",
     "upheld 成立、void 作废"},
    P_VIA,
    END};
static const struct ctl_param p_draw_ask[] = {
    P_PLATE,      {"--zone", "zone", CTL_TEXT, true, NULL, "the zone", "车区"},
    P_FROM(true), P_UNTIL(true),
    P_CLASS,      P_FOR,
    P_VIA,        P_VISITOR,
    END};
static const struct ctl_param p_draw_withdraw[] = {
    {"WISH", "wish", CTL_INT, true, NULL, "number of the wish", "申请编号"}, P_VIA, END};
static const struct ctl_param p_draw_list[] = {
    {"--zone", "zone", CTL_TEXT, false, NULL, "only this zone", "仅此车区"}, P_FOR, END};
static const struct ctl_param p_draw_open[] = {
    {"--zone", "zone", CTL_TEXT, true, NULL, "the zone", "车区"},
    {"--ask-from", "ask_from", CTL_TIME, true, NULL, "wishes are taken from", "申请开始"},
    {"--ask-until", "ask_until", CTL_TIME, true, NULL, "... until", "申请截止"},
    P_FROM(true),
    P_UNTIL(true),
    {"--aim", "aim", CTL_WORD, false, "minutes households", "serve the most minutes or households",
     "目标:minutes 分钟最多、households 户数最多"},
    {"--source", "source", CTL_WORD, false, "ssq", "a public source of chance: ssq (双色球)",
     "公开随机来源:ssq 双色球"},
    {"--issue", "issue", CTL_INT, false, NULL, "... and its issue: 2026135", "……及其期号:2026135"},
    P_VIA,
    END};
static const struct ctl_param p_draw_value[] = {
    {"DRAW", "draw", CTL_INT, true, NULL, "number of the draw", "抽签编号"},
    {"VALUE", "value", CTL_INT, true, NULL, "the source's digits in a row: 3081217263309",
     "公开号码依次连写:3081217263309"},
    P_VIA,
    END};
static const struct ctl_param p_draw_verify[] = {
    {"DRAW", NULL, CTL_INT, true, NULL, "number of the draw", "抽签编号"},
    {"--leaf", NULL, CTL_TEXT, false, NULL, "your receipt's leaf, its four parts in a row",
     "您回执上的叶值(四段连写)"},
    END};
static const struct ctl_param p_help[] = {
    {"COMMAND", NULL, CTL_COMMANDS, false, NULL, "a command", "命令"}, END};

const struct ctl_command ctl_commands[] = {
    {"quote", "parking.quote", p_quote, ctl_run_book,
     "ask whether there is a place, and its price in minutes", "询问是否有位及所需分钟",
     "tidectl quote --zone A --until +2h", NULL, NULL},
    {"book", "parking.book", p_book, ctl_run_book, "book a place for a plate", "为车牌预约车位",
     "tidectl book 浙F12345 --zone A --from 18:00 --until +3h",
     "Without --from it begins now. For a visitor: --visitor. For a household that phoned:\n"
     "--for 3-2-501 --via phone. For an ambulance or a carer whose plate is on file, at the desk "
     "or\n"
     "the gate: --for 3-2-501 --urgent; when all is taken, who has not come yet gives way.",
     "省略 --from 即从现在开始。访客加 --visitor;代住户预约:--for 3-2-501 --via phone。\n"
     "已登记的急救或持证照护车辆,由物业或门岗加 --for 3-2-501 "
     "--urgent:车位已满时,未到的预约让位。"},
    {"repeat", "parking.repeat", p_repeat, ctl_run_book, "book for every day of a kind",
     "按日类周期预约",
     "tidectl repeat 浙F12345 --zone A --days workday --opens 08:30 --closes 17:30 --from-date "
     "mon --until-date 06-30",
     "Workdays are the statutory ones: make-up workdays count, holidays do not.",
     "工作日为法定工作日:含调休上班日,不含节假日。"},
    {"wait", "parking.wait", p_wait, ctl_run_book, "wait for a place when all are taken",
     "候补车位", "tidectl wait 浙F12345 --zone A --from 18:00 --until +3h",
     "What comes free goes to whoever asked first. When it is offered to you, a notice says until\n"
     "when to confirm it (`tidectl confirm`); otherwise it goes to the next.",
     "空出的车位按候补先后递补。轮到您时会收到通知,请在所示时间前用 `tidectl confirm` 确认,\n"
     "逾期转给下一位。"},
    {"unwait", "parking.unwait", p_unwait, NULL, "wait no longer", "取消候补", "tidectl unwait 3",
     NULL, NULL},
    {"confirm", "parking.confirm", p_confirm, NULL, "take the place that you waited for",
     "确认候补到的车位", "tidectl confirm 12", NULL, NULL},
    {"cancel", "parking.cancel", p_cancel, NULL, "cancel a booking or a series", "取消预约",
     "tidectl cancel 12", NULL, NULL},
    {"extend", "parking.extend", p_extend, NULL, "stay longer", "延长停车",
     "tidectl extend 12 --until 22:00", NULL, NULL},
    {"arrive", "parking.arrive", p_arrive, ctl_run_arrive, "say that the car is there", "登记到达",
     "tidectl arrive 12", "Where cameras or sensors watch, nobody needs it.",
     "有摄像头或地磁的车区无需手动登记。"},
    {"leave", "parking.leave", p_leave, ctl_run_arrive, "say that the car has left", "登记离开",
     "tidectl leave 浙F12345", NULL, NULL},
    {"list", "parking.list", p_for, NULL, "live bookings and waits", "当前预约与候补",
     "tidectl list", NULL, NULL},
    {"history", "parking.history", p_history, NULL, "ended bookings, newest first", "历史预约",
     "tidectl history --for 3-2-501", NULL, NULL},
    {"zones", "parking.zones", p_zones, NULL, "the zones and how full they are", "车区及余位",
     "tidectl zones", NULL, NULL},
    {"tide", "parking.tide", p_tide, ctl_run_tide, "the tide chart of 24 hours", "24 小时潮汐图",
     "tidectl tide A --from \"tomorrow 05:00\"", "With --ascii it is drawn in plain letters.",
     "加 --ascii 用纯字符绘制。"},
    {"forecast", "parking.forecast", p_forecast, ctl_run_forecast,
     "what will be free in the next 48 hours", "未来 48 小时空位预测", "tidectl forecast A",
     "Learned from the same hours of such days (statutory workdays, rest days, holidays) and from "
     "how\n"
     "full it is now. A zone of fewer than 20 slots is told together with the other small ones.",
     "根据同类日(法定工作日、休息日、节假日)同一时刻的情况和当前占用推算。\n"
     "不足 20 个车位的车区与其他小车区合并显示。"},
    {"watch", NULL, p_watch, ctl_run_watch, "follow zones and your notices until Ctrl-C",
     "实时查看车区与通知,Ctrl-C 结束", "tidectl watch A", NULL, NULL},
    {"share", "share.open", p_share, ctl_run_share, "open your slot to neighbours", "共享您的车位",
     "tidectl share A-017 --days workday --opens 08:00 --closes 17:30",
     "Weekly with --opens and --closes; once with --from and --until.",
     "每周开放用 --opens 与 --closes;仅一次用 --from 与 --until。"},
    {"shares", "share.list", p_shares, NULL, "the windows of your slots", "您车位的开放时段",
     "tidectl shares", NULL, NULL},
    {"unshare", "share.close", p_unshare, NULL, "end a window; what was promised stays promised",
     "结束开放时段;已约出的仍有效", "tidectl unshare 7", NULL, NULL},
    {"recall", "share.recall", p_recall, NULL, "take your slot back for some time", "临时收回车位",
     "tidectl recall A-017 --from 14:00 --until 18:00", NULL, NULL},
    {"blackout", "share.blackout", p_blackout, NULL, "close a zone or slot for some time",
     "停用车区或车位一段时间",
     "tidectl blackout --zone A --from \"sat 08:00\" --until \"sat 12:00\"", NULL, NULL},
    {"draw ask", "draw.ask", p_draw_ask, ctl_run_draw_ask, "put in a wish for a draw", "申请抽签",
     "tidectl draw ask 浙F12345 --zone P --from \"tomorrow 08:30\" --until 17:30",
     "Wishes are decided together when the draw closes: who is first gains nothing. Keep the\n"
     "receipt: with its leaf `tidectl draw verify` finds your wish in the draw.",
     "截止后统一抽签,先申请并不占优。请保留回执:用其叶值可在 `tidectl draw verify` 中核对。"},
    {"draw withdraw", "draw.withdraw", p_draw_withdraw, NULL, "take a wish back", "撤回申请",
     "tidectl draw withdraw 12", NULL, NULL},
    {"draw list", "draw.list", p_draw_list, NULL, "draws that are not over, and your wishes",
     "进行中的抽签及您的申请", "tidectl draw list", NULL, NULL},
    {"draw open", "draw.open", p_draw_open, NULL, "hold a draw (the committee)", "组织抽签(居委会)",
     "tidectl draw open --zone P --ask-from now --ask-until +3d --from \"2026-12-01 00:00\" "
     "--until \"2026-12-08 00:00\" --source ssq --issue 2026135",
     NULL, NULL},
    {"draw value", "draw.value", p_draw_value, NULL, "what the public source said",
     "登记公开随机来源的号码", "tidectl draw value 3 3081217263309", NULL, NULL},
    {"draw verify", "draw.proof", p_draw_verify, ctl_run_draw_verify,
     "decide a draw anew and compare", "重新计算并核对一次抽签", "tidectl draw verify 3",
     "The secret, the list of wishes, the lots and the result are all computed on this machine.",
     "密值、名单、签号与结果全部在本机重新计算。"},
    {"strike list", "strike.list", p_strike_list, NULL, "strikes that are not over, with evidence",
     "未了结的违规记录及凭据", "tidectl strike list", NULL, NULL},
    {"strike history", "strike.history", p_strike_history, NULL,
     "all strikes, void ones too, newest first", "全部违规记录(含作废),新的在前",
     "tidectl strike history", NULL, NULL},
    {"strike contest", "strike.contest", p_strike_contest, NULL, "object to a strike",
     "对违规记录提出申诉", "tidectl strike contest 5",
     "It has no effect while somebody else decides; if nobody does in time, it is void.",
     "由他人裁定,其间不生效;逾期未裁定即作废。"},
    {"strike decide", "strike.decide", p_strike_decide, NULL,
     "decide a contested strike (committee, property)", "裁定申诉(居委会委员、物业)",
     "tidectl strike decide 5 void", NULL, NULL},
    {"account", "account.read", p_for, NULL, "the household's minutes", "本户分钟账户",
     "tidectl account", NULL, NULL},
    {"inbox", "inbox.read", p_inbox, ctl_run_inbox, "your notices", "您的通知", "tidectl inbox",
     NULL, NULL},
    {"whoami", "whoami", p_none, NULL, "who you are here, and your roles", "当前身份与角色",
     "tidectl whoami", NULL, NULL},
    {"status", "status.read", p_none, ctl_run_status, "the daemon and its domain", "系统状态",
     "tidectl status", NULL, NULL},
    {"sheet", "sheet.read", p_sheet, ctl_run_tide, "the guard's sheet of a zone", "车区值班表",
     "tidectl sheet A", NULL, NULL},
    {"incident list", "incident.list", p_incidents, NULL, "what is wrong now", "未结事件",
     "tidectl incident list", NULL, NULL},
    {"incident close", "incident.close", p_incident, NULL, "close an incident", "结案",
     "tidectl incident close 3", NULL, NULL},
    {"gate open", "gate.open", p_gate_open, NULL, "open a gate by hand; it is written down",
     "人工开闸(留有记录)", "tidectl gate open G1-in --plate 浙F12345", NULL, NULL},
    {"gate log", "gate.log", p_gate_log, NULL, "who passed, and why", "通行记录",
     "tidectl gate log --lane G1-in", NULL, NULL},
    {"import", "admin.put", p_import, ctl_run_import, "read a neighbourhood from CSV files",
     "从 CSV 文件导入社区数据", "tidectl import places.csv people.csv slots.csv",
     "UTF-8 or GB18030; comma, semicolon or tab; English or Chinese headings. All files are\n"
     "checked first and every fault is told; nothing is written before you say yes. Running it\n"
     "again is harmless, and nothing is ever deleted. Kinds, told by their headings:\n"
     "  places    place kind [parent] [title]      people  person household [full_name] [phone]\n"
     "  roles     person role place                users   user person kind [credential]\n"
     "  vehicles  plate household [kind]           zones   zone place sense [outsiders] ...\n"
     "  slots     slot zone title [cls] [owner] [sensed]   lanes  lane place dir [gateway]\n"
     "  windows   slot kind days weekdays from_date until_date opens closes\n"
     "  settings  key value\n"
     "A people file may also have plate, slot and zone: a household's cars and slots in one list.",
     "支持 UTF-8 与 GB18030,逗号、分号或制表符分隔,中英文表头皆可。先检查全部文件并列出所有\n"
     "问题,确认后才写入。可重复执行,不会删除任何数据。按表头识别种类:\n"
     "  地点 place kind parent title          人员 person household full_name phone\n"
     "  角色 person role place                账号 user person kind credential\n"
     "  车辆 plate household kind             车区 zone place sense outsiders resolution\n"
     "                                      walk_group walk_m title risk_permille\n"
     "  车位 slot zone title cls owner sensed 车道 lane place dir gateway\n"
     "  开放时段 slot kind days weekdays from_date until_date opens closes   设置 key value\n"
     "人员表可同时带车牌、车位、区域列:一张花名册即可导入。"},
    {"user add", "admin.put", p_user_add, ctl_run_user_add,
     "give a person's device its own user and secret", "为人员的设备开通账号",
     "tidectl user add 3-2-501-app --person 3-2-501/1",
     "The secret is made here, shown once and never sent; the daemon gets its hash.",
     "密码在本机生成,只显示一次;系统只保存其散列。"},
    {"user revoke", "admin.drop", p_user, ctl_run_user_revoke,
     "take a user away; its connection is cut", "停用账号并断开其连接",
     "tidectl user revoke 3-2-501-app", NULL, NULL},
    {"credential", NULL, p_credential, ctl_run_credential, "make a secret and its hash",
     "生成密码及其散列", "tidectl credential", "For `tided --init --admin-hash` and users.csv.",
     "用于 `tided --init --admin-hash` 与 users.csv。"},
    {"person export", "person.export", p_person, NULL, "all that is kept about a person",
     "导出某人的全部数据", "tidectl --json person export 3-2-501/1", NULL, NULL},
    {"person correct", "person.correct", p_correct, NULL, "correct a name or a phone number",
     "更正姓名或电话", "tidectl person correct 3-2-501/1 --phone 13800000000", NULL, NULL},
    {"person forget", "person.forget", p_forget, ctl_run_forget,
     "erase a person or a plate, everywhere, for good", "彻底删除某人或某车牌的数据",
     "tidectl person forget 3-2-501/1", NULL, NULL},
    {"calendar put", "calendar.put", p_calendar, ctl_run_calendar,
     "take in a year's holidays and make-up workdays", "导入一年的节假日安排",
     "tidectl calendar put 2026.json", NULL, NULL},
    {"setting get", "status.read", p_setting_get, ctl_run_setting_get, "read settings", "查看设置",
     "tidectl setting get no_show_min", NULL, NULL},
    {"setting set", "admin.put", p_setting_set, ctl_run_setting, "change a setting", "修改设置",
     "tidectl setting set no_show_min 45", NULL, NULL},
    {"rules accept", "rules.accept", p_rules, NULL, "accept a version of the parking rules",
     "同意某版停车公约", "tidectl rules accept 1", NULL, NULL},
    {"clock accept", "clock.accept", p_none, NULL, "say that the daemon's clock is right",
     "确认系统时钟无误", "tidectl clock accept", NULL, NULL},
    {"backup", "backup.start", p_none, NULL, "start a backup now", "立即备份", "tidectl backup",
     NULL, NULL},
    {"verify", NULL, p_verify, ctl_run_verify, "check a database on this machine (tided --verify)",
     "校验本机数据库(tided --verify)", "tidectl verify /var/lib/tide/tide.db", NULL, NULL},
    {"why", NULL, p_why, ctl_run_why, "why it was granted or refused (tided --why, this machine)",
     "说明预约为何约成、请求为何被拒(本机)", "tidectl why 12 --conf /etc/tide/tided.conf",
     "Decides it again from the journal and tells the rules that fired. Names nobody else.",
     "根据日志重新推演并列出适用的规则,不透露他人信息。"},
    {"raw", NULL, p_raw, ctl_run_raw, "send any operation, print the reply as it came",
     "发送任意操作并原样输出应答", "tidectl raw parking.list '{\"for\":\"3-2-501\"}'", NULL, NULL},
    {"help", NULL, p_help, ctl_help_run, "this help, or that of a command", "帮助",
     "tidectl help book", NULL, NULL},
    {0}};

const struct ctl_command *ctl_command_find(int argc, char **argv, int *ret_words)
{
    for (const struct ctl_command *at = ctl_commands; argc > 0 && at->name; at++) {
        const char *blank = strchr(at->name, ' ');
        size_t len = blank ? (size_t)(blank - at->name) : strlen(at->name);

        if (strlen(argv[0]) != len || strncmp(at->name, argv[0], len) != 0)
            continue;
        if (blank && (argc < 2 || strcmp(blank + 1, argv[1]) != 0))
            continue;
        *ret_words = blank ? 2 : 1;
        return at;
    }
    return NULL;
}
