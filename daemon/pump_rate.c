/* pump_rate.c - how often a user may ask, and what becomes of one who does not stop.
 *
 *      asks          20 a second, 60 at once    served
 *      beyond        as often again             told `busy`
 *      beyond that                              counted, in silence
 *      a flood       100 seconds' worth at      muted: his sessions are cut for a minute
 *                    more than 25 times
 *
 * The broker takes one packet a socket and turn: a refusal for each request of a flood would crowd
 * out everybody's answers, hence the silence. It also hands on whatever one user sends, so that a
 * flood costs the others time even when nobody answers it: hence the mute. A muted user's line is
 * left out of the broker's password file, which cuts his sessions (broker.h); it comes back by
 * itself. Nothing of this is a decision: it is elapsed time, gone with the process. A program that
 * merely asks too often, or tries again in a loop, is far from it.
 */
#include "daemon/pump.h"
#include "tide/check.h"

#define FLOOD_TIMES 25 /* what may be asked: beyond that rate patience wears out */
#define PATIENCE_S 100 /* so many seconds' worth of requests too many */

/* ---- buckets -------------------------------------------------------------------------------- */
static bool take_token(int64_t *tokens_milli)
{
    if (*tokens_milli < 1000)
        return false;
    *tokens_milli -= 1000;
    return true;
}

static void fill(int64_t *tokens_milli, int64_t gained, int64_t most)
{
    *tokens_milli = gained > most - *tokens_milli ? most : *tokens_milli + gained;
}

static void fill_all(const struct conf *conf, struct bucket *bucket)
{
    int64_t now_ms = clock_elapsed_ms(), burst = conf->user_burst * 1000;
    int64_t patience = conf->user_rate_per_s * PATIENCE_S * 1000;
    if (bucket->filled_ms == 0) {
        bucket->tokens_milli = bucket->aloud_milli = burst;
        bucket->patience_milli = patience;
    } else {
        int64_t gained = (now_ms - bucket->filled_ms) * conf->user_rate_per_s;
        fill(&bucket->tokens_milli, gained, burst);
        fill(&bucket->aloud_milli, gained, burst);
        fill(&bucket->patience_milli, gained * FLOOD_TIMES, patience);
    }
    bucket->filled_ms = now_ms;
}

/* ---- mutes ---------------------------------------------------------------------------------- */
bool pump_is_muted(const struct pump *pump, const struct domain *domain, tide_id user)
{
    for (unsigned i = 0; i < pump->muted_count; i++)
        if (pump->muted[i].domain == domain && pump->muted[i].user == user)
            return true;
    return false;
}

static void mute(struct pump *pump, struct domain *domain, tide_id user)
{
    if (pump->conf->flood_mute_s == 0 || pump->conf->broker_folder[0] == '\0' ||
        pump->muted_count == PUMP_MUTED_MAX || pump_is_muted(pump, domain, user))
        return;
    int64_t until_ms = clock_elapsed_ms() + pump->conf->flood_mute_s * 1000;
    const char *name = domain->names->text(domain->names->arg, TIDE_NAME_KIND_user, user);
    pump->muted[pump->muted_count++] =
        (struct muted){.domain = domain, .user = user, .until_ms = until_ms};
    domain->users_dirty = true; /* the broker's files are written at the end of the turn */
    pump->metrics.muted_total++;
    log_event(LOG_WARN_, "user.muted", "\"domain\":%s,\"user\":%s,\"seconds\":%lld",
              log_str(domain->name), log_str(name), (long long)pump->conf->flood_mute_s);
}

void pump_unmute(struct pump *pump)
{
    int64_t now_ms = clock_elapsed_ms();
    bool any = false;
    for (unsigned i = 0; i < pump->muted_count;) {
        if (pump->muted[i].until_ms > now_ms) {
            i++;
            continue;
        }
        pump->muted[i].domain->users_dirty = true;
        pump->muted[i] = pump->muted[--pump->muted_count];
        any = true;
    }
    if (any) /* once for all who come back */
        pump_write_accounts(pump, false);
}

/* ---- asked ---------------------------------------------------------------------------------- */
bool pump_within_rate(struct pump *pump, struct domain *domain, tide_id user,
                      const struct mqtt_message *message)
{
    if (user >= domain->buckets_max)
        return true;
    struct bucket *bucket = &domain->buckets[user];
    fill_all(pump->conf, bucket);
    if (take_token(&bucket->tokens_milli))
        return true;
    if (!take_token(&bucket->patience_milli))
        mute(pump, domain, user);
    if (take_token(&bucket->aloud_milli))
        pump_on_overflow(pump, message);
    else
        pump->metrics.busy_total++;
    return false;
}
