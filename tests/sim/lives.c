/* lives.c - the daemon's births and deaths: founded, killed, restarted, and what must hold after
 * each.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

/* ---- birth, death -------------------------------------------------------------------------- */
static void load(struct sim *sim)
{
    struct store_position position;
    uint8_t live[32], shadow[32];
    sim->live = engine_init(sim->live_mem, engine_size(&sim->limits), &sim->limits);
    engine_set_trace(sim->live, sim_ring_trace, sim->ring);
    memset(&position, 0, sizeof position);
    if (sim->journal->ops->load(sim->journal, sim->live, &position) != 0) {
        sim_fail(sim, "the engine could not be loaded");
        return;
    }
    if (position.seq != sim->durable_seq) {
        sim_fail(sim, "loaded up to %llu, durable was %llu", (unsigned long long)position.seq,
                 (unsigned long long)sim->durable_seq);
        return;
    }
    sim->last_when_ms = position.when_ms;
    engine_digest(sim->live, live);
    engine_digest(sim->shadow, shadow);
    if (memcmp(live, shadow, sizeof live) != 0)
        sim_fail(sim, "loaded and never-crashed engines differ in their digest");
    else if (engine_next_deadline(sim->live) != engine_next_deadline(sim->shadow))
        sim_fail(sim, "loaded and never-crashed engines have another next deadline: %lld, %lld",
                 (long long)engine_next_deadline(sim->live),
                 (long long)engine_next_deadline(sim->shadow));
}

/* How long nobody was there; a start far from the last row distrusts the clock. */
static void come_back(struct sim *sim)
{
    sim->real_ms += sim_rng_chance(&sim->bad, 700) ? sim_rng_range(&sim->bad, 500, 20000)
                                                   : sim_rng_range(&sim->bad, 20000, 900000);
    tide_ms now = sim->real_ms + sim->offset_ms;
    if (sim->last_when_ms > 0 && now - sim->last_when_ms > 60000 && sim_rng_chance(&sim->bad, 500))
        sim_pump_clock(sim, sim->last_when_ms, now, true);
    sim_pump_plan_commit(sim);
}

static void come_up(struct sim *sim)
{
    sim->commit_planned = false;
    sim->hold_commits = 0;
    sim_draws_forget(sim);
    load(sim);
    for (uint32_t i = 0; i < SIM_GATEWAYS; i++)
        sim_later(sim, 500, SIM_TODO_ONLINE, i, 0);
    if (!sim->failed)
        come_back(sim);
}

void sim_pump_kill(struct sim *sim, enum sim_kill how)
{
    static const char *const names[] = {"between commits", "inside a commit", "after a commit"};
    sim_ring_say(sim->ring, "---- the daemon is killed %s", names[how]);
    sim->stats.crashes++;
    if (sim->journal->ops->kill(sim->journal, how) != 0) {
        sim_fail(sim, "the database does not open after a kill");
        return;
    }
    if (how == SIM_KILL_UNTOLD)
        sim_pump_release(sim, false);
    else
        sim_pump_unpend(sim);
    if (!sim->failed)
        come_up(sim);
}

void sim_pump_restart(struct sim *sim)
{
    if (sim->hold_commits > 0)
        return;
    sim_ring_say(sim->ring, "---- the daemon is restarted");
    sim->stats.restarts++;
    sim_pump_commit(sim);
    if (sim->failed)
        return;
    sim->journal->ops->stop(sim->journal);
    audit_files(sim->audit, sim->journal->ops->folder(sim->journal));
    if (sim->journal->ops->start(sim->journal) != 0)
        sim_fail(sim, "the database does not open after a restart");
    else
        come_up(sim);
}

static void founding_event(void *arg, const struct engine_event *event)
{
    struct sim *sim = arg;
    struct engine_event decoded;
    sim_pump_decode(sim, event, &decoded);
    decoded.when_ms = sim_civil(sim);
    sim_pump_decide(sim, &decoded, NULL);
    enum tide_code code = sim_pump_code(sim->effects.buf, sim->effects.len);
    if (code != TIDE_CODE_ok)
        sim_fail(sim, "the founding was refused");
}

int sim_pump_open(struct sim *sim)
{
    char why[512] = "";
    sim->journal = sim->conf.memory ? sim_journal_memory()
                                    : sim_journal_store(sim->conf.folder, why, sizeof why);
    if (sim->journal == NULL) {
        sim_fail(sim, "no database: %s", why);
        return -1;
    }
    sim->live = engine_init(sim->live_mem, engine_size(&sim->limits), &sim->limits);
    sim->shadow = engine_init(sim->shadow_mem, engine_size(&sim->limits), &sim->limits);
    engine_set_trace(sim->live, sim_ring_trace, sim->ring);
    sim->founding = true;
    sim_pump_listen(sim);
    sim_world_found(&sim->world, sim->conf.households, &sim->people, &sim->names, founding_event,
                    sim);
    sim->founding = false;
    if (!sim->failed)
        sim_pump_commit(sim);
    return sim->failed ? -1 : 0;
}

void sim_pump_finish(struct sim *sim)
{
    char why[512] = "";
    sim->hold_commits = 0;
    sim_pump_commit(sim);
    if (sim->failed)
        return;
    sim_pump_restart(sim);
    sim_pump_commit(sim);
    if (sim->failed)
        return;
    const char *folder = sim->journal->ops->folder(sim->journal);
    sim->journal->ops->stop(sim->journal);
    audit_files(sim->audit, folder);
    if (folder != NULL) {
        char path[4400];
        snprintf(path, sizeof path, "%s/tide.db", folder);
        audit_tables(sim->audit, path);
    }
    audit_end(sim->audit);
    if (golden_end(sim->golden, sim->shadow) != 0)
        sim_fail(sim, "the golden journal could not be written");
    sim->golden = NULL;
    if (audit_violations(sim->audit) > 0)
        sim_fail(sim, "%s", audit_first(sim->audit));
    else if (sim->journal->ops->verify(sim->journal, &sim->limits, why, sizeof why) != 0)
        sim_fail(sim, "verify: %s", why);
}

void sim_pump_close(struct sim *sim)
{
    sim_pump_unpend(sim);
    if (sim->journal != NULL)
        sim->journal->ops->free(sim->journal);
    sim->journal = NULL;
}
