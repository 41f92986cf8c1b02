/* cmd_draw.c - draws: a wish with a nonce of one's own, and deciding anew what was decided.
 *
 * `draw verify` believes nothing but its own arithmetic: from what the daemon tells of a draw that
 * is over it computes the commitment, the tree of wishes, the lots and the whole solution, with
 * the same code that the daemon decides by (daemon/core/parking/draw_proof.h), and compares.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clients/tidectl/tidectl.h"
#include "daemon/core/parking/draw_proof.h"
#include "protocol/codec.h"

/* ---- asking ---------------------------------------------------------------------------------- */
static bool add_nonce(cJSON *members)
{
    uint64_t nonce[2];
    char text[17];

    if (getrandom(nonce, sizeof nonce, 0) != sizeof nonce)
        return false;
    snprintf(text, sizeof text, "%016llx", (unsigned long long)nonce[0]);
    cJSON_AddStringToObject(members, "nonce_1", text);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)nonce[1]);
    cJSON_AddStringToObject(members, "nonce_2", text);
    return true;
}

int ctl_run_draw_ask(struct ctl *ctl, const struct ctl_args *args)
{
    cJSON *members = ctl_args_members(ctl, args);
    int rc = CTL_EXIT_USAGE;

    if (members && add_nonce(members))
        rc = ctl_ask_and_show(ctl, args->command->op, members);
    cJSON_Delete(members);
    return rc;
}

/* ---- gathering ------------------------------------------------------------------------------- */
struct proof {
    struct draw_lot lot;
    char state[16];
    uint8_t commit[32];
    uint32_t drawn[TIDE_DRAW_WISHES_MAX]; /* the span that was told, by wish */
    bool gone[TIDE_DRAW_WISHES_MAX];      /* forgotten after the closing */
    double after_wish, after_span;
    bool whole; /* nothing in it that cannot be */
};

static int64_t hex_of(const cJSON *item, const char *member)
{
    return (int64_t)strtoull(ctl_text_of(item, member), NULL, 16);
}

static void digest_of(const cJSON *item, const char *stem, uint8_t ret[32])
{
    int64_t quarters[4];
    char member[24];

    for (int i = 0; i < 4; i++) {
        snprintf(member, sizeof member, "%s_%d", stem, i + 1);
        quarters[i] = hex_of(item, member);
    }
    draw_hex_get(quarters, ret);
}

static int64_t grain_of(const cJSON *item, const char *member)
{
    const char *text = ctl_text_of(item, member);
    int64_t ms = -1;

    return tide_time_parse(text, strlen(text), &ms) == 0 ? ms / TIDE_GRAIN_MS : -1;
}

static uint32_t word_of(const cJSON *item, const char *member, unsigned type)
{
    const char *word = ctl_text_of(item, member);
    int number = word[0] ? tide_enum_value(type, word, strlen(word)) : 0;

    return number > 0 ? (uint32_t)number : 0;
}

static void take_draw(struct proof *proof, const cJSON *item)
{
    struct draw_lot *lot = &proof->lot;

    snprintf(proof->state, sizeof proof->state, "%s", ctl_text_of(item, "state"));
    lot->draw = (uint32_t)ctl_number_of(item, "draw");
    lot->aim = word_of(item, "aim", TIDE_ENUM_FIELD_TYPE(draw_aim));
    lot->source = word_of(item, "source", TIDE_ENUM_FIELD_TYPE(draw_source));
    lot->value = (int64_t)ctl_number_of(item, "value");
    lot->base_grain = grain_of(item, "start");
    digest_of(item, "commit", proof->commit);
    digest_of(item, "root", lot->root);
    digest_of(item, "secret", lot->secret);
}

/* A span of time of an item, counted from the draw's begin. */
static bool take_times(const struct proof *proof, const cJSON *item, uint32_t *ret_from,
                       uint32_t *ret_until)
{
    int64_t from = grain_of(item, "start") - proof->lot.base_grain;
    int64_t until = grain_of(item, "end") - proof->lot.base_grain;

    if (from < 0 || until <= from || until > DRAW_GRAINS_MAX)
        return false;
    *ret_from = (uint32_t)from;
    *ret_until = (uint32_t)until;
    return true;
}

static void take_wish(struct proof *proof, const cJSON *item)
{
    uint32_t i = proof->lot.wish_count;
    struct draw_wish *wish = &proof->lot.wishes[i];

    proof->after_wish = ctl_number_of(item, "wish");
    if (strcmp(ctl_text_of(item, "state"), "withdrawn") == 0)
        return; /* before the closing: not in the tree */
    if (i == TIDE_DRAW_WISHES_MAX || !take_times(proof, item, &wish->from, &wish->until)) {
        proof->whole = false;
        return;
    }
    wish->pool = word_of(item, "cls", TIDE_ENUM_FIELD_TYPE(slot_class));
    wish->used_min = (uint32_t)ctl_number_of(item, "used_min");
    proof->lot.named[i] = (struct draw_named){(uint32_t)proof->after_wish,
                                              {hex_of(item, "nonce_1"), hex_of(item, "nonce_2")}};
    proof->drawn[i] = (uint32_t)ctl_number_of(item, "span");
    proof->gone[i] = strcmp(ctl_text_of(item, "why"), "withdrawn") == 0;
    proof->lot.wish_count++;
}

static void take_span(struct proof *proof, const cJSON *item)
{
    uint32_t i = proof->lot.span_count;
    struct draw_span *span = &proof->lot.spans[i];

    proof->after_span = ctl_number_of(item, "draw_span");
    if (i == TIDE_DRAW_SPANS_MAX || ctl_number_of(item, "number") != i + 1 ||
        !take_times(proof, item, &span->from, &span->until)) {
        proof->whole = false;
        return;
    }
    span->pool = word_of(item, "cls", TIDE_ENUM_FIELD_TYPE(slot_class));
    proof->lot.span_count++;
}

/* All pages; 0 or an exit code after saying why. */
static int gather(struct ctl *ctl, const char *draw, struct proof *proof)
{
    bool more = true;
    int rc = CTL_EXIT_OK;

    while (more && rc == CTL_EXIT_OK) {
        cJSON *members = cJSON_CreateObject(), *reply = NULL;
        const cJSON *item;

        cJSON_AddNumberToObject(members, "draw", strtod(draw, NULL));
        cJSON_AddNumberToObject(members, "after_wish", proof->after_wish);
        cJSON_AddNumberToObject(members, "after_span", proof->after_span);
        rc = ctl_ask(ctl, "draw.proof", members, &reply);
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(reply, "items"))
        {
            const char *is = ctl_text_of(item, "is");

            if (strcmp(is, "draw") == 0)
                take_draw(proof, item);
            else if (strcmp(is, "wish") == 0)
                take_wish(proof, item);
            else if (strcmp(is, "draw_span") == 0)
                take_span(proof, item);
        }
        more = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "more"));
        if (reply && rc != CTL_EXIT_OK && ctl->conf.json)
            ctl_print_json(reply);
        cJSON_Delete(reply);
        cJSON_Delete(members);
    }
    return rc;
}

/* ---- verifying ------------------------------------------------------------------------------- */
static bool says(bool right, const char *what)
{
    printf("%s  %s\n", right ? CTL_T("right", "相符") : CTL_T("WRONG", "不符"), what);
    return right;
}

static bool decided_alike(struct proof *proof)
{
    size_t size = draw_decide_bytes(&proof->lot);
    void *memory = malloc(size);
    struct draw_outcome outcome;
    bool alike = memory != NULL;

    if (alike)
        draw_decide(&proof->lot, memory, size, &outcome);
    for (uint32_t i = 0; alike && i < proof->lot.wish_count; i++)
        alike = proof->gone[i] || proof->lot.wishes[i].span == proof->drawn[i];
    free(memory);
    return alike;
}

/* A receipt's leaf is in the tree. */
static bool leaf_is_there(const struct proof *proof, const char *hex)
{
    uint8_t leaf[32];
    char text[65];

    for (uint32_t i = 0; i < proof->lot.wish_count; i++) {
        draw_leaf(&proof->lot, i, leaf);
        for (int k = 0; k < 32; k++)
            snprintf(text + 2 * k, 3, "%02x", leaf[k]);
        if (strcmp(text, hex) == 0)
            return true;
    }
    return false;
}

static bool judge(struct proof *proof, const char *leaf)
{
    uint8_t commit[32], root[32];
    bool right = says(proof->whole, CTL_T("what is told is complete", "公布的内容完整"));

    draw_commit_of(proof->lot.secret, commit);
    right &= says(memcmp(commit, proof->commit, 32) == 0,
                  CTL_T("the secret is the one that was bound at the opening",
                        "揭示的密值与开始时承诺的一致"));
    draw_root(&proof->lot, root);
    right &=
        says(memcmp(root, proof->lot.root, 32) == 0,
             CTL_T("the wishes are those that stood when it was closed", "申请名单与截止时的一致"));
    if (leaf)
        right &= says(leaf_is_there(proof, leaf),
                      CTL_T("your receipt's wish is among them", "您回执上的申请在名单中"));
    right &= says(
        proof->whole &&
            draw_problem_is_sound(&(struct draw_problem){.spans = proof->lot.spans,
                                                         .wishes = proof->lot.wishes,
                                                         .span_count = proof->lot.span_count,
                                                         .wish_count = proof->lot.wish_count}) &&
            decided_alike(proof),
        CTL_T("decided anew, the same wishes are served", "重新计算,结果相同"));
    return right;
}

int ctl_run_draw_verify(struct ctl *ctl, const struct ctl_args *args)
{
    struct proof *proof = calloc(1, sizeof *proof);
    int rc;

    if (!proof)
        return CTL_EXIT_USAGE;
    proof->whole = true;
    rc = gather(ctl, ctl_args_get(args, "DRAW"), proof);
    if (rc == CTL_EXIT_OK && strcmp(proof->state, "decided") != 0) {
        ctl_complain(CTL_T("draw %s is %s: nothing was decided", "抽签 %s %s:没有结果可核对"),
                     ctl_args_get(args, "DRAW"), ctl_word("draw_state", proof->state));
        rc = CTL_EXIT_REFUSED;
    } else if (rc == CTL_EXIT_OK) {
        printf(CTL_T("draw %u: %u wishes, %u pieces of free time\n",
                     "抽签 %u:%u 份申请,%u 段空闲时间\n"),
               proof->lot.draw, proof->lot.wish_count, proof->lot.span_count);
        if (proof->lot.wish_count > 0 && !judge(proof, ctl_args_get(args, "--leaf")))
            rc = CTL_EXIT_REFUSED;
    }
    free(proof);
    return rc;
}
