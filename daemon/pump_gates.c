/* pump_gates.c - towards the gateways: commands that are sent again, lists for when nobody answers.
 *
 *   command   row durable ─► sent ─► again each half second ─► done, or older than 5 s: never late
 *   list      whole after hello, then a delta for each plate whose right changed
 *
 * The validity of a command is elapsed time: a scaled day does not make an arm open late.
 */
#include <string.h>

#include "daemon/pump.h"
#include "tide/check.h"

#define PASSES_A_PAGE 100
#define AGAIN_MS 500

void pump_down(struct pump *pump, struct domain *domain, tide_id gateway, const char *kind,
               size_t len)
{
    char topic[256];
    const char *name = domain->names->text(domain->names->arg, TIDE_NAME_KIND_user, gateway);
    if (name != NULL && len > 0 &&
        tide_topic_make(topic, sizeof topic, "down", domain->name, name, kind) > 0)
        mqtt_publish(pump->mqtt, topic, pump->text, len, 1, false);
}

/* ---- commands ------------------------------------------------------------------------------- */
static void send_out(struct pump *pump, struct domain *domain, struct command_out *out)
{
    size_t len = tide_encode_command(pump->text, TIDE_PACKET_BYTES_MAX, &domain->frame, &out->row,
                                     out->valid_until_real_ms);
    out->sent_elapsed_ms = clock_elapsed_ms();
    pump_down(pump, domain, out->row.gateway, "command", len);
}

void pump_command(struct pump *pump, struct domain *domain, const struct tide_command *command)
{
    struct command_out *out = &domain->commands[domain->command_at++ % PUMP_COMMANDS_MAX];
    *out = (struct command_out){.row = *command,
                                .born_elapsed_ms = clock_elapsed_ms(),
                                .valid_until_real_ms = clock_real_ms() + TIDE_GATE_PULSE_VALID_MS,
                                .live = true};
    pump->metrics.commands_total++;
    send_out(pump, domain, out);
}

void pump_command_done(struct domain *domain, tide_id command)
{
    for (unsigned i = 0; i < PUMP_COMMANDS_MAX; i++)
        if (domain->commands[i].live && domain->commands[i].row.id == command)
            domain->commands[i].live = false;
}

void pump_commands_again(struct pump *pump)
{
    int64_t now_ms = clock_elapsed_ms();
    for (unsigned d = 0; d < pump->domain_count; d++)
        for (unsigned i = 0; i < PUMP_COMMANDS_MAX; i++) {
            struct command_out *out = &pump->domains[d].commands[i];
            if (!out->live)
                continue;
            if (now_ms - out->born_elapsed_ms >= TIDE_GATE_PULSE_VALID_MS) {
                out->live = false;
                pump->metrics.commands_expired_total++;
            } else if (now_ms - out->sent_elapsed_ms >= AGAIN_MS) {
                send_out(pump, &pump->domains[d], out);
            }
        }
}

/* ---- lists ---------------------------------------------------------------------------------- */
static bool serves(const struct domain *domain, tide_id gateway, tide_id place)
{
    uint32_t cursor = 0;
    const struct tide_lane *lane;
    while ((lane = engine_next(domain->engine, TIDE_REC_lane, &cursor)) != NULL)
        if (lane->gateway == gateway && lane->place == place)
            return true;
    return false;
}

struct page {
    struct tide_pass passes[PASSES_A_PAGE];
    unsigned count, number, pages;
};

static void page_send(struct pump *pump, struct domain *domain, tide_id gateway, struct page *page,
                      bool delta)
{
    size_t len =
        tide_encode_passes(pump->text, TIDE_PACKET_BYTES_MAX, &domain->frame, domain->list_ver,
                           page->number++, page->pages, delta, page->passes, page->count);
    pump_down(pump, domain, gateway, "list", len);
    page->count = 0;
}

/* Adds the right of a plate at any compound that the gateway serves; pages when sending. */
static unsigned collect(struct pump *pump, struct domain *domain, tide_id gateway, tide_id plate,
                        struct page *page, bool sending)
{
    uint32_t cursor = 0;
    const struct tide_lane *lane;
    tide_id last_place = 0;
    while ((lane = engine_next(domain->engine, TIDE_REC_lane, &cursor)) != NULL) {
        struct tide_pass pass = {.plate = plate};
        if (lane->gateway != gateway || lane->place == last_place)
            continue;
        last_place = lane->place;
        if (!engine_pass_of(domain->engine, plate, lane->place, &pass.from_ms, &pass.until_ms,
                            &pass.booking))
            continue;
        if (sending) {
            page->passes[page->count++] = pass;
            if (page->count == PASSES_A_PAGE)
                page_send(pump, domain, gateway, page, false);
        }
        return 1; /* one right is enough to pass this gateway's arms */
    }
    return 0;
}

static unsigned walk_all(struct pump *pump, struct domain *domain, tide_id gateway,
                         struct page *page, bool sending)
{
    unsigned count = 0;
    uint32_t cursor = 0;
    const struct tide_vehicle *vehicle;
    while ((vehicle = engine_next(domain->engine, TIDE_REC_vehicle, &cursor)) != NULL)
        count += collect(pump, domain, gateway, vehicle->plate, page, sending);
    cursor = 0;
    const struct tide_booking *booking;
    while ((booking = engine_next(domain->engine, TIDE_REC_booking, &cursor)) != NULL)
        if (engine_find(domain->engine, TIDE_REC_vehicle, booking->plate, 0, 0) == NULL)
            count += collect(pump, domain, gateway, booking->plate, page, sending);
    return count;
}

void pump_list(struct pump *pump, struct domain *domain, tide_id gateway)
{
    struct page page = {.count = 0};
    unsigned all = walk_all(pump, domain, gateway, &page, false);
    page.pages = (all + PASSES_A_PAGE - 1) / PASSES_A_PAGE;
    if (page.pages == 0)
        page.pages = 1;
    domain->list_ver++;
    walk_all(pump, domain, gateway, &page, true);
    if (page.count > 0 || page.number == 0)
        page_send(pump, domain, gateway, &page, false);
}

void pump_list_delta(struct pump *pump, struct domain *domain, tide_id plate, tide_id place)
{
    uint32_t cursor = 0;
    const struct tide_lane *lane;
    tide_id last = 0;
    while ((lane = engine_next(domain->engine, TIDE_REC_lane, &cursor)) != NULL) {
        if (lane->gateway == 0 || lane->gateway == last ||
            (place != 0 && lane->place != place && !serves(domain, lane->gateway, place)))
            continue;
        last = lane->gateway;
        struct page page = {.pages = 1};
        struct tide_pass pass = {.plate = plate};
        if (!engine_pass_of(domain->engine, plate, lane->place, &pass.from_ms, &pass.until_ms,
                            &pass.booking)) {
            pass.from_ms = 2; /* until before from: it comes off the list */
            pass.until_ms = 1;
        }
        page.passes[page.count++] = pass;
        domain->list_ver++;
        page_send(pump, domain, lane->gateway, &page, true);
    }
}
