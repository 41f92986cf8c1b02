/* faults.c - what goes wrong, as objects with a countdown: so many events from now it happens,
 * then it is wound up again. The numbers come from a stream of their own, so that a run without
 * one fault is otherwise the same run.
 */
#include <string.h>

#include "tests/sim/sim.h"

#define NEVER UINT32_MAX

const char *sim_fault_name(unsigned kind)
{
    static const char *const names[] = {
#define SIM_FAULT_NAME_(name) #name,
        SIM_FAULTS(SIM_FAULT_NAME_)
#undef SIM_FAULT_NAME_
    };
    return kind < SIM_FAULT_COUNT ? names[kind] : NULL;
}

static void wind_up(struct sim *sim, enum sim_fault_kind kind, uint32_t least, uint32_t most)
{
    struct sim_fault *fault = &sim->faults[kind];
    *fault = (struct sim_fault){.kind = kind, .least = least, .most = most, .countdown = NEVER};
    if (sim_may(sim, kind))
        fault->countdown = (uint32_t)sim_rng_range(&sim->bad, least, most);
}

void sim_faults_begin(struct sim *sim)
{
    memset(sim->faults, 0, sizeof sim->faults);
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        sim->faults[i].countdown = NEVER; /* those without one happen on the way: net.c, cars.c */
    wind_up(sim, SIM_FAULT_crash, 40, 900);
    wind_up(sim, SIM_FAULT_restart, 800, 3000);
    wind_up(sim, SIM_FAULT_reconnect, 100, 900);
    wind_up(sim, SIM_FAULT_clock, 700, 4000);
    wind_up(sim, SIM_FAULT_chaos, 10, 60);
}

/* ---- the faults ---------------------------------------------------------------------------- */
static bool batch_is_open(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->pending_count; i++)
        if (sim->pending[i].seq != 0)
            return true;
    return false;
}

static void crash(struct sim *sim)
{
    if (!batch_is_open(sim)) { /* nothing to lose: a little later */
        sim->faults[SIM_FAULT_crash].countdown = 1;
        return;
    }
    enum sim_kill how = (enum sim_kill)sim_rng_below(&sim->bad, SIM_KILL_COUNT);
    if (how != SIM_KILL_OPEN) {
        sim_pump_kill(sim, how);
        return;
    }
    sim_pump_hold(sim); /* the last commit before the end */
    sim->hold_commits = 1 + sim_rng_below(&sim->bad, 6);
}

static void reconnect(struct sim *sim)
{
    tide_ms away = sim_rng_range(&sim->bad, 1000, 600000);
    if (sim_rng_chance(&sim->bad, 300)) {
        uint32_t gateway = sim_rng_below(&sim->bad, SIM_GATEWAYS);
        away *= 6; /* a fibre is cut; meanwhile its own list opens the arm */
        sim->gateways[gateway].offline_until = sim->real_ms + away;
        if (sim_rng_chance(&sim->bad, 400))
            sim_net_reboot(sim, gateway);
        sim_later(sim, away + 1, SIM_TODO_ONLINE, gateway, 0);
        return;
    }
    for (uint32_t i = 0; i < 8; i++) { /* a mast fails: several at once */
        uint32_t person = sim_rng_below(&sim->bad, sim->world.person_count);
        sim->clients[person].offline_until = sim->real_ms + away;
    }
}

/* The wall clock steps. Forward and far, nobody may trust it; backward, civil time stands still. */
static void step_clock(struct sim *sim)
{
    tide_ms old = sim_civil(sim);
    tide_ms by = sim_rng_chance(&sim->bad, 700) ? sim_rng_range(&sim->bad, 1000, 4 * 3600000)
                                                : -sim_rng_range(&sim->bad, 1000, 3600000);
    sim->stats.jumps++;
    sim_ring_say(sim->ring, "---- the clock steps by %lld s", (long long)(by / 1000));
    sim->offset_ms += by;
    if (by > 0)
        sim_pump_clock(sim, old, sim_civil(sim), by > 60000);
}

static void happen(struct sim *sim, enum sim_fault_kind kind)
{
    switch (kind) {
    case SIM_FAULT_crash:
        crash(sim);
        break;
    case SIM_FAULT_restart:
        sim_pump_restart(sim);
        break;
    case SIM_FAULT_reconnect:
        reconnect(sim);
        break;
    case SIM_FAULT_clock:
        step_clock(sim);
        break;
    case SIM_FAULT_chaos:
        sim_chaos_event(sim, sim_rng_below(&sim->bad, sim->world.person_count));
        break;
    default:
        break;
    }
}

void sim_faults_after_event(struct sim *sim)
{
    if (sim->hold_commits > 0) {
        if (--sim->hold_commits == 0)
            sim_pump_kill(sim, SIM_KILL_OPEN);
        return;
    }
    for (unsigned i = 0; i < SIM_FAULT_COUNT && !sim->failed; i++) {
        struct sim_fault *fault = &sim->faults[i];
        if (fault->countdown == NEVER || --fault->countdown > 0)
            continue;
        fault->countdown = (uint32_t)sim_rng_range(&sim->bad, fault->least, fault->most);
        happen(sim, fault->kind);
        return;
    }
}
