/* pump.h - the only place where the layers meet at run time.
 *
 *   message ─► who, which op ─► decode ─► seen before? ─► engine_step ─► batch ──commit──┐
 *                                  │            │                                        │
 *                               refusal    stored answer                          journal thread
 *                                                                                        │
 *   reply, notice, command, ack, list ◄── release, row by row ◄── durable (uv_async) ◄───┘
 *
 * Reads are answered from the engine, but wait until the batch that they saw is durable; those
 * that are answered from the tables wait until the tables have come so far.
 *
 * One batch is on its way while the next is being filled: a lone request is committed at once, a
 * crowd shares a commit.
 *
 *   pump.c          one event through the engine and into a batch; durable batches come back
 *   pump_intake.c   a message becomes an event, or a refusal
 *   pump_release.c  what is durable goes out
 *   pump_reads.c    answers that wait
 *   pump_public.c   retained state, once a second
 *   pump_draw.c     secrets and solutions of draws
 *   pump_gates.c    commands that are sent again, lists for the gates
 */
#ifndef TIDE_PUMP_H
#define TIDE_PUMP_H

#include <uv.h>

#include "daemon/net/broker.h"
#include "daemon/net/mqtt.h"
#include "daemon/ops/ops.h"
#include "daemon/store/store.h"
#include "protocol/codec.h"

#define PUMP_COMMANDS_MAX 256
#define PUMP_DURABLE_MAX 64
#define PUMP_MUTED_MAX 64

struct bucket { /* of one user; milli-requests */
    int64_t filled_ms;
    int64_t tokens_milli;
    int64_t aloud_milli;    /* refusals for being too fast that are said aloud */
    int64_t patience_milli; /* requests too many until he is muted */
};

struct muted { /* a user whom the broker does not know for a while; elapsed time */
    struct domain *domain;
    tide_id user;
    int64_t until_ms;
};

/* A command on its way to a gate: sent again until done or too old. Elapsed time. */
struct command_out {
    struct tide_command row;
    int64_t born_elapsed_ms, sent_elapsed_ms;
    tide_ms valid_until_real_ms;
    bool live;
};

struct domain {
    char name[TIDE_NAME_BYTES_MAX + 1];
    uint32_t number;
    void *memory; /* the engine's block */
    struct engine *engine;
    const struct tide_names *names;
    struct store_position position;
    struct tide_frame frame;
    struct bucket *buckets; /* by user id */
    uint32_t buckets_max;
    struct command_out commands[PUMP_COMMANDS_MAX];
    unsigned command_at;
    uint64_t public_ver;
    uint32_t list_ver;
    int64_t public_hour;
    bool all_dirty;
    bool users_dirty; /* the broker's files must be written */
};

/* An answer that waits: for its batch (rows ready), or for the tables (to be read then). */
struct waiting {
    struct waiting *next;
    struct domain *domain;
    uint64_t seq;
    tide_id user;
    char rid[TIDE_RID_BYTES_MAX + 1];
    uint8_t qos;
    bool from_tables;
    struct engine_event event; /* of a read from the tables */
    tide_id subject;           /* the person, household or lane that it is about */
    size_t len;
    uint8_t effects[]; /* the answer, when it is ready */
};
struct waiting_list {
    struct waiting *first, **last;
    uint32_t count;
};

struct pump {
    uv_loop_t *loop;
    const struct conf *conf;
    struct store *store;
    struct mqtt *mqtt;
    struct clock_state *clock;
    struct metrics metrics;
    struct domain *domains;
    unsigned domain_count;
    struct engine_limits limits;

    struct store_batch *batch; /* being filled; NULL: none free */
    unsigned in_flight;
    uint64_t handed_ns; /* when the last batch went to the journal */
    uint32_t handed_rows;
    struct engine_effects effects; /* of the step at hand */
    struct tide_request *request;
    char *text; /* TIDE_PACKET_BYTES_MAX, for what goes out */
    uint8_t *digest_bytes;

    /* A step that found no room: it waits for a batch, and so does all input. */
    bool held;
    struct domain *held_domain;
    struct store_origin held_origin;
    struct engine_event held_event;

    uv_async_t wake;
    uv_timer_t deadline_timer, second_timer, gate_timer, gather_timer;
    uv_mutex_t mutex; /* guards the three below, written on the journal thread */
    struct {
        struct store_batch *batch;
        enum store_error error;
    } durable[PUMP_DURABLE_MAX];
    unsigned durable_count;
    bool applied, started;

    struct waiting_list waits;
    bool own_clock;   /* scaled, or begun elsewhere: the wall clock means nothing */
    bool unavailable; /* the disk is full */
    bool stopping;
    bool turn_open; /* one look at the tables for all rids of a turn */
    bool draining;  /* asked to stop: no more input */
    int64_t probed_elapsed_ms;
    uint8_t *draw_blob; /* of a draw's result, while its step is at work or held */
    bool draw_running;  /* one is being solved off the loop */
    char *broker_hash;  /* of the daemon's own account */
    struct muted muted[PUMP_MUTED_MAX];
    unsigned muted_count;
    unsigned broker_again_s; /* seconds in which the broker is told again of its files */
    void (*on_fatal)(void *arg, enum store_error error);
    void *arg;
};

/* ---- pump.c --------------------------------------------------------------------------------- */
/* Starts timers and takes the first batch; the store and the engines stand already. */
int pump_start(struct pump *pump);
/* Deadlines of a domain up to now; must come before an event at that time. False when the last one
 * is held: then the event must wait. */
bool pump_ticks_domain(struct pump *pump, struct domain *domain, tide_ms now_ms);
/* Runs one event whose time has no deadline before it: the step, into the batch. The engine's
 * reply code is in *ret_code (may be NULL). Returns false when it must wait for a batch (then it
 * is held). */
bool pump_step(struct pump *pump, struct domain *domain, const struct engine_event *event,
               const struct store_origin *origin, enum tide_code *ret_code);
/* The same for an event of the daemon's own, deadlines before it included. False when there is no
 * room for it now: then nothing of it is kept, and the caller comes again. */
bool pump_step_own(struct pump *pump, struct domain *domain, const struct engine_event *event);
/* Hands the batch over if the journal is idle; in a crowd, after gathering for a moment. */
void pump_commit(struct pump *pump);
/* Everything that is due now, in all domains; sets the timer for what comes next. */
void pump_ticks(struct pump *pump);
bool pump_has_room(const struct pump *pump);
/* Waits until nothing is in flight and releases it all (shutdown). */
void pump_drain(struct pump *pump);
void pump_close(struct pump *pump);
tide_ms pump_now(struct pump *pump, const struct domain *domain);
/* The journal thread's two callbacks. */
void pump_on_durable(void *arg, struct store_batch *batch, enum store_error error);
void pump_on_applied(void *arg);
/* Fills a domain's engine from the store. */
enum store_error domain_load(struct pump *pump, struct domain *domain);
struct domain *pump_domain(struct pump *pump, uint32_t number);

/* ---- pump_intake.c -------------------------------------------------------------------------- */
bool pump_on_message(void *arg, const struct mqtt_message *message);
void pump_on_turn(void *arg);
/* Lets go of the look at the tables that the rids of this turn shared. */
void pump_turn_end(struct pump *pump);
void pump_on_overflow(void *arg, const struct mqtt_message *message);
void pump_refuse(struct pump *pump, const struct domain *domain, const char *user, const char *rid,
                 enum tide_code code, const struct tide_fault *fault, int qos);

/* ---- pump_release.c ------------------------------------------------------------------------- */
void pump_release(struct pump *pump, struct store_batch *batch);
void pump_fail(struct pump *pump, struct store_batch *batch);
void pump_send_reply(struct pump *pump, struct domain *domain, tide_id user, const char *rid,
                     const uint8_t *effects, size_t len, int qos);
/* Writes the broker's files if accounts changed. */
void pump_write_accounts(struct pump *pump, bool anyway);
/* Once a second: tells the broker again, two and ten seconds after the last change. */
void pump_tell_broker_again(struct pump *pump);

/* ---- pump_rate.c ---------------------------------------------------------------------------- */
/* Whether the user may ask now. If not, he was told so or it was counted; one who floods is muted:
 * left out of the broker's files for conf flood_mute_s. */
bool pump_within_rate(struct pump *pump, struct domain *domain, tide_id user,
                      const struct mqtt_message *message);
bool pump_is_muted(const struct pump *pump, const struct domain *domain, tide_id user);
/* Each second: those whose time is over may come back. */
void pump_unmute(struct pump *pump);

/* ---- pump_reads.c --------------------------------------------------------------------------- */
void pump_read(struct pump *pump, struct domain *domain, const struct engine_event *event,
               const struct store_origin *origin);
/* Sends what has become ready. */
void pump_reads_ready(struct pump *pump);
void pump_reads_drop(struct pump *pump);

/* ---- pump_public.c -------------------------------------------------------------------------- */
void pump_on_state(void *arg, bool up);
void pump_public(struct pump *pump);
void pump_node_state(struct pump *pump, const char *state);
/* Brings the gauges up to now. */
void pump_gather_metrics(struct pump *pump);
/* Whole hours, calendar, clock: what is to be looked at once a second. */
void pump_second(struct pump *pump);

/* ---- pump_draw.c ----------------------------------------------------------------------------- */
/* Gives draws what they wait for; once a second. */
void pump_draws(struct pump *pump);

/* ---- pump_gates.c --------------------------------------------------------------------------- */
void pump_command(struct pump *pump, struct domain *domain, const struct tide_command *command);
void pump_command_done(struct domain *domain, tide_id command);
void pump_commands_again(struct pump *pump);
/* The whole list of passes to a gateway that said hello. */
void pump_list(struct pump *pump, struct domain *domain, tide_id gateway);
/* One plate's right may have changed at a compound. */
void pump_list_delta(struct pump *pump, struct domain *domain, tide_id plate, tide_id place);
void pump_down(struct pump *pump, struct domain *domain, tide_id gateway, const char *kind,
               size_t len);

#endif
