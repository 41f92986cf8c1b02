/* sim.h - one run of the simulator: what its rooms share.
 *
 *   workload ─ call ──► net (lost, late, twice) ──► pump ──► engine ──► journal ──► release
 *      ▲                                            │                                │
 *      └──────────── reply (lost, late) ◄───────────┼── auditor, shadow engine ◄─────┘
 *   cars, sensors ─ fact ─ gateway's spool ─────────┘
 *
 * Time is a queue of things to do; nothing else moves it. `real` time runs from the start of the
 * run; the domain's civil time is real + offset, and faults shift the offset.
 */
#ifndef TIDE_SIM_SIM_H
#define TIDE_SIM_SIM_H

#include <stdio.h>

#include "tests/sim/auditor.h"
#include "tests/sim/golden.h"
#include "tests/sim/journal.h"
#include "tests/sim/naive.h"
#include "tests/sim/narrate.h"
#include "tests/sim/rng.h"
#include "tests/sim/tape.h"
#include "tests/sim/world.h"

/* What may go wrong; a bit each, named by sim_fault_name. */
#define SIM_FAULTS(F)                                                                              \
    F(crash)                                                                                       \
    F(restart)                                                                                     \
    F(duplicate)                                                                                   \
    F(reorder) F(lose) F(reconnect) F(clock) F(forget) F(calendar) F(settings) F(chaos) F(conflict)
enum sim_fault_kind {
#define SIM_FAULT_(name) SIM_FAULT_##name,
    SIM_FAULTS(SIM_FAULT_)
#undef SIM_FAULT_
        SIM_FAULT_COUNT
};

struct sim_conf {
    uint64_t seed;
    uint32_t days, households;
    uint32_t faults; /* mask of 1 << enum sim_fault_kind */
    bool memory;     /* journal in memory instead of the store */
    bool trace;      /* everything to stdout as it happens */
    bool quiet;
    const char *folder; /* empty, for the databases of this run */
    struct sim_ring *ring;
    struct tape *tape;  /* takes down all that enters; NULL: do not */
    uint64_t *done;     /* by event kind: how many were answered with ok; shared by all runs */
    const char *golden; /* write what was decided to this file; NULL: do not */
};

struct sim_stats {
    uint64_t events, asks, ticks, replies, repeats, refusals, bookings, kept, cancelled, no_shows;
    uint64_t broken, crashes, restarts, jumps, facts, arrivals, overstays, expired, waited;
};

/* ---- the queue ----------------------------------------------------------------------------- */
enum sim_todo_kind {
    SIM_TODO_WAKE,    /* a client thinks of something: a = person index */
    SIM_TODO_DELIVER, /* a call reaches the daemon: a = call */
    SIM_TODO_ANSWER,  /* a reply reaches the client: a = call */
    SIM_TODO_RETRY,   /* the client looks whether it has an answer: a = call */
    SIM_TODO_FACT,    /* a gateway's fact reaches the daemon: a = gateway, b = index in its spool */
    SIM_TODO_ONLINE,  /* a gateway is connected again: a = gateway */
    SIM_TODO_RESEND,  /* a gateway sends again what is not acknowledged: a = gateway */
    SIM_TODO_CAR,     /* a car's next step: a = trip */
    SIM_TODO_GATE,    /* no answer came in time: a = trip, b = ask */
    SIM_TODO_BEAT,    /* a sensor's heartbeat: a = slot index */
    SIM_TODO_SENSE,   /* a sensor reports a change: a = slot index */
    SIM_TODO_OPEN,    /* a command reaches the gate: a = trip, b = 1 open, 0 deny */
    SIM_TODO_COMMIT,  /* a batch that waits for company has waited enough */
    SIM_TODO_TRUST,   /* somebody accepts the clock */
    SIM_TODO_DAY,     /* once a day: the committee's things */
    SIM_TODO_DRAW     /* the daemon looks what draws need */
};

struct sim_todo {
    tide_ms at_real;
    uint64_t order; /* ties by age */
    uint8_t kind;
    uint32_t a, b;
};

/* ---- calls --------------------------------------------------------------------------------- */
struct sim_call {
    uint32_t person; /* index in the world */
    char rid[TIDE_RID_BYTES_MAX + 1];
    struct engine_event event; /* plates are numbers of the world */
    uint8_t *blob;             /* owned */
    tide_ms expires_ms;        /* real */
    uint32_t attempts;
    bool done;       /* the client has its answer, or gave up */
    bool executed;   /* an answer became durable */
    bool twin;       /* made by a fault: same rid, other body */
    uint8_t *answer; /* the first one that was released, owned */
    size_t answer_len;
    uint32_t context; /* what the workload wants to remember */
};

struct sim_fact {
    struct engine_event event;
    uint32_t boot, seq;
    uint32_t trip; /* + 1, whose gate question this is */
    bool taken;
};

struct sim_gateway {
    uint32_t boot, next_seq;
    struct sim_fact *spool;
    uint32_t spool_count, spool_room;
    uint32_t acked; /* spool entries before this one are acknowledged */
    uint32_t sent;  /* ... are on their way */
    uint32_t next_ask;
    tide_ms offline_until;
};

/* ---- cars ---------------------------------------------------------------------------------- */
enum sim_trip_state { SIM_TRIP_COMING, SIM_TRIP_AT_GATE, SIM_TRIP_INSIDE, SIM_TRIP_GONE };
struct sim_trip {
    uint32_t plate;  /* number */
    uint32_t zone;   /* index */
    uint32_t slot;   /* index + 1 where it stands, 0: somewhere */
    tide_id booking; /* 0: none */
    uint32_t person; /* who is asked */
    uint32_t ask;
    tide_ms leave_real;
    uint8_t state;
    uint8_t tries;
};

struct sim_held { /* a booking that a client knows of */
    tide_id booking, series;
    uint32_t plate, zone;
    tide_ms start_ms, end_ms;
    bool over;
};

struct sim_client {
    tide_ms offline_until; /* real */
    uint32_t next_rid;
    struct sim_held held[16]; /* the latest ones */
    uint32_t held_count;
    tide_id window;
    tide_id series;
    tide_id wish;
    tide_id waiting;
    uint32_t wait_plate, wait_zone;
};

/* ---- what waits for its commit ------------------------------------------------------------- */
struct sim_pending {
    uint64_t seq;  /* 0: an answer that is not journaled */
    uint32_t call; /* + 1 */
    uint32_t fact; /* + 1; of gateway */
    uint32_t gateway;
    struct engine_event event; /* with ids */
    uint8_t *blob;
    uint8_t *effects;
    size_t effects_len;
};

struct sim_fault {
    enum sim_fault_kind kind;
    uint32_t countdown; /* events until it happens */
    uint32_t least, most;
};

struct sim {
    struct sim_conf conf;
    struct sim_stats stats;
    struct sim_rng people, net, bad; /* who does what; delays; faults */
    tide_ms real_ms, start_ms, end_ms, offset_ms, last_when_ms;
    struct sim_world world;
    struct sim_client *clients; /* one a person of the world */
    struct sim_gateway gateways[SIM_GATEWAYS];
    struct sim_trip *trips;
    uint32_t trip_count, trip_room;
    struct sim_call **calls;
    uint32_t call_count, call_room;
    struct sim_todo *queue;
    uint32_t queue_count, queue_room;
    uint64_t queue_order;

    struct sim_journal *journal;
    struct tide_names names; /* the journal's, with the auditor listening */
    struct engine_limits limits;
    void *live_mem, *shadow_mem;
    struct engine *live, *shadow; /* shadow: never crashed, knows only what is durable */
    struct engine_effects effects, again;
    uint8_t *bytes; /* scratch for a packed event */
    struct sim_pending *pending;
    uint32_t pending_count, pending_room;
    bool commit_planned, failed, founding;
    uint32_t hold_commits; /* a kill is coming: the next commit holds the journal */
    uint64_t durable_seq;
    bool suspended;

    struct sim_fault faults[SIM_FAULT_COUNT];
    struct sim_draws *draws; /* draws.c */
    struct audit *audit;
    struct golden *golden;
    struct sim_ring *ring; /* the narrative */
    char failure[1024];
};

/* ---- run.c --------------------------------------------------------------------------------- */
/* Plays a run to its end or first violation. 0, or 1 with the reason in sim->failure. */
struct sim *sim_new(const struct sim_conf *conf);
int sim_play(struct sim *sim);
struct sim *sim_free(struct sim *sim); /* returns NULL */
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *sim_grow(void *array, uint32_t *room, uint32_t need, size_t size);
void sim_later(struct sim *sim, tide_ms delay_ms, enum sim_todo_kind kind, uint32_t a, uint32_t b);
tide_ms sim_civil(const struct sim *sim);
bool sim_may(const struct sim *sim, enum sim_fault_kind kind);

/* ---- pump.c: the daemon's stand-in --------------------------------------------------------- */
int sim_pump_open(struct sim *sim);
void sim_pump_close(struct sim *sim);
void sim_pump_call(struct sim *sim, uint32_t call);
void sim_pump_fact(struct sim *sim, uint32_t gateway, uint32_t index);
void sim_pump_hello(struct sim *sim, const struct engine_event *hello);
void sim_pump_clock(struct sim *sim, tide_ms old_ms, tide_ms new_ms, bool suspend);
void sim_pump_commit(struct sim *sim);
/* The last commit before a kill: afterwards the journal stands still. */
void sim_pump_hold(struct sim *sim);
/* ... within: decode.c, pump.c, release.c, lives.c */
void sim_pump_listen(struct sim *sim);
/* Fills *ret from an event with numbers; its blob lies in sim->bytes afterwards. */
void sim_pump_decode(struct sim *sim, const struct engine_event *event, struct engine_event *ret);
/* Decides an event and adds it to the open batch. Returns its row among the pending. */
struct sim_pending *sim_pump_decide(struct sim *sim, const struct engine_event *event,
                                    const struct store_origin *origin);
struct sim_pending *sim_pump_pend(struct sim *sim, const struct engine_event *event);
void sim_pump_unpend(struct sim *sim);
void sim_pump_plan_commit(struct sim *sim);
void sim_pump_release(struct sim *sim, bool tell);
/* The code of the reply among effects; ok when there is none. */
enum tide_code sim_pump_code(const uint8_t *effects, size_t len);
/* Deadlines that fell due by now. */
void sim_pump_ticks(struct sim *sim);
void sim_pump_kill(struct sim *sim, enum sim_kill how);
void sim_pump_restart(struct sim *sim);
void sim_pump_finish(struct sim *sim);

/* ---- net.c: calls, facts, and what happens to them on the way ------------------------------ */
uint32_t sim_net_call(struct sim *sim, uint32_t person, const struct engine_event *event,
                      uint32_t context);
void sim_net_deliver(struct sim *sim, uint32_t call);
void sim_net_answer(struct sim *sim, uint32_t call, const uint8_t *effects, size_t len);
void sim_net_answered(struct sim *sim, uint32_t call);
void sim_net_retry(struct sim *sim, uint32_t call);
void sim_net_fact(struct sim *sim, uint32_t gateway, const struct engine_event *event,
                  uint32_t trip);
void sim_net_fact_arrives(struct sim *sim, uint32_t gateway, uint32_t index);
void sim_net_acked(struct sim *sim, uint32_t gateway, uint32_t boot, uint32_t seq);
void sim_net_resend(struct sim *sim, uint32_t gateway);
void sim_net_connected(struct sim *sim, uint32_t gateway);
void sim_net_reboot(struct sim *sim, uint32_t gateway);

/* ---- workload.c, chaos.c: what people want ------------------------------------------------- */
void sim_workload_begin(struct sim *sim);
void sim_workload_wake(struct sim *sim, uint32_t person);
void sim_workload_day(struct sim *sim);
void sim_workload_reply(struct sim *sim, uint32_t call, const struct tide_reply *reply,
                        const uint8_t *effects, size_t len);
void sim_workload_trust(struct sim *sim);
struct engine_event sim_event(unsigned kind);
void sim_chaos_event(struct sim *sim, uint32_t person);

/* ---- errands.c: what the desk does once in a while ------------------------------------------ */
void sim_errands_day(struct sim *sim);

/* ---- draws.c: secrets, solutions, wishes ---------------------------------------------------- */
struct sim_draws *sim_draws_new(void);
void sim_draws_look(struct sim *sim);
/* The daemon died: what it was thinking about is gone. */
void sim_draws_forget(struct sim *sim);
void sim_draws_want(struct sim *sim, uint32_t person);
void sim_draws_day(struct sim *sim);

/* ---- waits.c: who waits --------------------------------------------------------------------- */
void sim_waits_want(struct sim *sim, uint32_t person);
void sim_waits_instead(struct sim *sim, uint32_t person, const struct tide_book *book,
                       uint32_t zone);
/* Some of those who were offered a place say yes. */
void sim_waits_look(struct sim *sim);

/* ---- cars.c: what the cars do, whatever was promised --------------------------------------- */
void sim_cars_begin(struct sim *sim);
void sim_cars_promised(struct sim *sim, uint32_t person, const struct sim_held *held);
void sim_cars_step(struct sim *sim, uint32_t trip);
void sim_cars_command(struct sim *sim, const struct tide_command *command);
void sim_cars_open(struct sim *sim, uint32_t trip, bool open);
void sim_cars_gate_silent(struct sim *sim, uint32_t trip, uint32_t ask);
void sim_cars_beat(struct sim *sim, uint32_t slot);
void sim_cars_sense(struct sim *sim, uint32_t slot, bool heartbeat);
void sim_cars_day(struct sim *sim);

/* ---- faults.c ------------------------------------------------------------------------------ */
const char *sim_fault_name(unsigned kind);
void sim_faults_begin(struct sim *sim);
void sim_faults_after_event(struct sim *sim);

/* ---- ring.c: the last lines of the narrative ----------------------------------------------- */
struct sim_ring *sim_ring_new(bool aloud);
struct sim_ring *sim_ring_free(struct sim_ring *ring);
uint64_t sim_ring_last_seq(const struct sim_ring *ring);
void sim_ring_say(struct sim_ring *ring, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_ring_event(struct sim_ring *ring, uint64_t seq, const struct engine_event *event);
void sim_ring_effects(struct sim_ring *ring, const uint8_t *effects, size_t len);
void sim_ring_trace(void *ring, const struct engine_trace *line);
void sim_ring_tell(const struct sim_ring *ring, FILE *out, unsigned lines);

#endif
