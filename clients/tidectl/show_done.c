/* show_done.c - one sentence for what was done, for what was not there, for what is still to come.
 */
#include <string.h>

#include "clients/tidectl/tidectl.h"

/* What was done, by operation; %.0f: the reply's id. */
static const struct {
    const char *op, *en, *zh;
} done[] = {
    {"parking.book", "Booked, number %.0f.", "已预约,编号 %.0f。"},
    {"parking.repeat", "Series %.0f made.", "周期预约 %.0f 已建立。"},
    {"parking.cancel", "Cancelled.", "已取消。"},
    {"parking.extend", "Extended.", "已延长。"},
    {"parking.arrive", "Welcome.", "已登记到达。"},
    {"parking.wait", "You wait now, number %.0f.", "已候补,编号 %.0f。"},
    {"parking.unwait", "You wait no longer.", "已取消候补。"},
    {"parking.confirm", "Confirmed: booking %.0f is yours.", "已确认,预约 %.0f 生效。"},
    {"parking.leave", "Goodbye.", "已登记离开。"},
    {"share.open", "Opened, window %.0f.", "已开放,编号 %.0f。"},
    {"share.close", "The window is closed.", "开放时段已结束。"},
    {"share.recall", "The slot is yours for that time.", "该时段车位已收回。"},
    {"share.blackout", "Closed for that time.", "该时段已停用。"},
    {"incident.close", "Closed.", "已结案。"},
    {"draw.ask", "Your wish is in, number %.0f.", "已收到申请,编号 %.0f。"},
    {"draw.withdraw", "Withdrawn.", "已撤回。"},
    {"draw.open", "Draw %.0f is announced.", "抽签 %.0f 已公布。"},
    {"draw.value", "Written.", "已登记。"},
    {"gate.open", "The gate opens.", "正在开闸。"},
    {"person.correct", "Corrected.", "已更正。"},
    {"person.forget", "Forgotten. Backups follow within 30 days.", "已删除;备份将在 30 天内清除。"},
    {"calendar.put", "The calendar is in.", "日历已导入。"},
    {"clock.accept", "The clock is accepted; deadlines run again.", "时钟已确认,期限恢复。"},
    {"backup.start", "The backup has begun.", "备份已开始。"},
    {"admin.put", "Written.", "已写入。"},
    {"admin.drop", "Taken away.", "已移除。"},
    {"rules.accept", "Accepted.", "已同意。"},
    {"strike.contest", "Contested; somebody else decides.", "已申诉,将由他人裁定。"},
    {"strike.decide", "Decided.", "已裁定。"},
};

static const struct {
    const char *op, *en, *zh;
} nothing[] = {
    /* reads: what it means that no item came */
    {"parking.list", "No live bookings.", "没有有效预约。"},
    {"parking.history", "No ended bookings.", "没有历史预约。"},
    {"parking.zones", "No zones yet.", "尚无车区。"},
    {"share.list", "No windows.", "没有开放时段。"},
    {"inbox.read", "No notices.", "没有通知。"},
    {"incident.list", "Nothing is wrong.", "没有未结事件。"},
    {"gate.log", "Nobody passed.", "没有通行记录。"},
    {"sheet.read", "The sheet is empty.", "值班表为空。"},
    {"draw.list", "No draw is under way.", "没有进行中的抽签。"},
    {"strike.list", "Nothing is held against anybody here.", "没有未了结的违规记录。"},
    {"strike.history", "There were no strikes.", "没有违规记录。"},
};

/* The sentence for an empty answer; NULL: this is no read. */
const char *ctl_nothing_of(const char *op)
{
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        if (strcmp(nothing[i].op, op) == 0)
            return CTL_T(nothing[i].en, nothing[i].zh);
    return NULL;
}

void ctl_show_done(const char *op, double id, FILE *out)
{
    for (size_t i = 0; i < sizeof done / sizeof *done; i++) {
        const char *words = CTL_T(done[i].en, done[i].zh), *at = strstr(words, "%.0f");

        if (strcmp(done[i].op, op) != 0)
            continue;
        if (at)
            fprintf(out, "%.*s%.0f%s\n", (int)(at - words), words, id, at + 4);
        else
            fprintf(out, "%s\n", words);
        return;
    }
    fprintf(out, "%s\n", CTL_T("Done.", "完成。"));
}

void ctl_show_more(const char *op, const cJSON *items, FILE *out)
{
    static const char *const pages[][3] = {
        {"parking.history", "booking", "--before"}, {"gate.log", "passage", "--before"},
        {"incident.list", "incident", "--after"},   {"sheet.read", "booking", "--after"},
        {"inbox.read", "notice", "--after"},        {"strike.list", "strike", "--after"},
        {"strike.history", "strike", "--before"},
    };
    const cJSON *last = cJSON_GetArrayItem(items, cJSON_GetArraySize(items) - 1);

    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(pages[i][0], op) == 0 && ctl_number_of(last, pages[i][1]) > 0) {
            fprintf(out, CTL_T("There is more: %s %.0f\n", "还有更多:%s %.0f\n"), pages[i][2],
                    ctl_number_of(last, pages[i][1]));
            return;
        }
    if (strcmp(op, "parking.zones") == 0)
        fprintf(out, CTL_T("There is more: --after %s\n", "还有更多:--after %s\n"),
                ctl_text_of(last, "zone"));
    else
        fprintf(out, "%s\n", CTL_T("There is more than fits into one answer.", "还有更多未列出。"));
}

/* A recall: done as asked, only planned, or another slot taken in exchange. */
void ctl_show_recall(const cJSON *reply, FILE *out)
{
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(reply, "items"), 0);

    if (first == NULL)
        fprintf(out,
                CTL_T("It can be had; bookings that would move: %.0f.\n",
                      "可以收回;需移动的预约:%.0f。\n"),
                ctl_number_of(reply, "limit"));
    else if (strcmp(ctl_text_of(first, "is"), "booking") == 0)
        fprintf(out, CTL_T("Slot %s is yours instead.\n", "已改停车位 %s。\n"),
                ctl_text_of(first, "slot"));
    else
        ctl_show_done("share.recall", 0, out);
}
