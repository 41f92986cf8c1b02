/* verify.c - is what the database says what happened? (design: tided --verify)
 *
 *   pages       SQLite's own integrity_check
 *   fold        recorded effects rebuild the tables; row by row the same        all rules
 *   re-decide   events give the same effects, byte by byte; one digest          these rules
 *
 * Only reads. A database in use may be verified: all of it is seen as of one moment.
 */
#include "daemon/store/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void store_verify_fault(struct store_verify *verify, const char *format, ...)
{
    struct store_report *report = verify->report;
    if (report->faults++ > 0)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(report->first_fault, sizeof report->first_fault, format, args);
    va_end(args);
}

void store_verify_tell(const struct store_verify *verify, const char *phase, uint64_t done,
                       uint64_t all)
{
    if (verify->progress != NULL)
        verify->progress(verify->arg, phase, done, all);
}

static enum store_error verify_domain(struct store_verify *verify)
{
    char ask[96];
    memset(&verify->position, 0, sizeof verify->position);
    int64_t applied = 0, rids = 0;
    enum store_error error = store_position_of(verify->db, verify->domain, &verify->position);
    snprintf(ask, sizeof ask, "SELECT seq FROM applied WHERE domain=%u", verify->domain);
    if (error == STORE_OK)
        error = store_sql_ask(verify->db, ask, &applied);
    snprintf(ask, sizeof ask, "SELECT rids FROM applied WHERE domain=%u", verify->domain);
    if (error == STORE_OK)
        error = store_sql_ask(verify->db, ask, &rids);
    if (error != STORE_OK)
        return error;
    verify->applied = (uint64_t)applied;
    verify->rids = (uint64_t)rids;
    verify->report->domains++;
    verify->report->events += verify->position.seq;
    if (verify->applied > verify->position.seq)
        store_verify_fault(verify, "domain %u: tables are at %llu, the journal ends at %llu",
                           verify->domain, (unsigned long long)verify->applied,
                           (unsigned long long)verify->position.seq);
    error = store_verify_fold(verify);
    return error == STORE_OK ? store_verify_decide(verify) : error;
}

static enum store_error verify_all(struct store_verify *verify)
{
    enum store_error error = STORE_OK;
    char fault[200];
    store_verify_tell(verify, "pages", 0, 1);
    if (!store_sql_is_whole(verify->db, fault, sizeof fault))
        store_verify_fault(verify, "pages: %s", fault);
    store_verify_tell(verify, "pages", 1, 1);
    for (uint32_t domain = 1; domain < STORE_DOMAIN_SLOTS && error == STORE_OK; domain++) {
        char ask[96];
        snprintf(ask, sizeof ask, "SELECT 1 FROM domain WHERE domain=%u", domain);
        verify->domain = domain;
        int64_t there = 0;
        error = store_sql_ask(verify->db, ask, &there);
        if (error == STORE_OK && there == 1)
            error = verify_domain(verify);
    }
    return error;
}

enum store_error store_verify(const char *path, const struct engine_limits *limits,
                              store_progress_fn *progress, void *arg, struct store_report *ret)
{
    struct store_report report = {0};
    struct store_verify verify = {
        .limits = limits, .progress = progress, .arg = arg, .report = &report};
    enum store_error error = store_sql_open(&verify.db, path, STORE_SQL_READER);
    if (error != STORE_OK)
        return error;
    int64_t id = 0, version = 0;
    error = store_sql_ask(verify.db, "PRAGMA application_id", &id);
    if (error == STORE_OK)
        error = store_sql_ask(verify.db, "PRAGMA user_version", &version);
    if (error == STORE_OK && (id != STORE_APPLICATION_ID || version != STORE_SCHEMA))
        error = STORE_VERSION;
    if (error == STORE_OK)
        error = store_sql_error(verify.db, store_sql_run(verify.db, "BEGIN"));
    if (error == STORE_OK) {
        error = verify_all(&verify);
        store_sql_run(verify.db, "COMMIT");
    }
    store_sql_close(verify.db);
    if (error == STORE_OK)
        *ret = report;
    return error;
}
