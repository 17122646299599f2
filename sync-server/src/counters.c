#include "counters.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "i18n.h"

void counters_init(struct counters *counters)
{
    memset(counters, 0, sizeof *counters);
    atomic_init(&counters->requests, 0);
    atomic_init(&counters->refused, 0);
    atomic_init(&counters->unanswered, 0);
    atomic_init(&counters->commits, 0);
    atomic_init(&counters->entries, 0);
    pthread_mutex_init(&counters->devices_mutex, NULL);
}

void counters_release(struct counters *counters)
{
    pthread_mutex_destroy(&counters->devices_mutex);
}

/* FNV-1a. Tags come from grants of our own network, so nobody can choose them to collide. */
static size_t tag_slot(const char *tag)
{
    uint32_t hash = 2166136261U;

    for (; *tag != '\0'; tag++)
        hash = (hash ^ (uint8_t)*tag) * 16777619U;
    return hash % (2 * COUNTERS_DEVICES_MAX);
}

void counters_note_device(struct counters *counters, const char *tag)
{
    if (tag[0] == '\0' || strlen(tag) >= COUNTERS_TAG_BYTES)
        return;
    pthread_mutex_lock(&counters->devices_mutex);
    size_t slot = tag_slot(tag);
    while (counters->devices[slot][0] != '\0' && strcmp(counters->devices[slot], tag) != 0)
        slot = (slot + 1) % (2 * COUNTERS_DEVICES_MAX);
    if (counters->devices[slot][0] == '\0' && counters->device_count < COUNTERS_DEVICES_MAX) {
        memcpy(counters->devices[slot], tag, strlen(tag) + 1);
        counters->device_count++;
    }
    pthread_mutex_unlock(&counters->devices_mutex);
}

/* Anonymous memory in KiB; 0 where /proc does not say. */
static unsigned long rss_anon_kib(void)
{
    char line[128];
    unsigned long kib = 0;
    FILE *file = fopen("/proc/self/status", "re");

    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "RssAnon: %lu kB", &kib) == 1)
            break;
    fclose(file);
    return kib;
}

void counters_print(struct counters *counters, char out_text[static COUNTERS_TEXT_BYTES])
{
    struct guard_counts guard;
    unsigned long kib = rss_anon_kib();

    guard_count(&guard);
    pthread_mutex_lock(&counters->devices_mutex);
    size_t devices = counters->device_count;
    pthread_mutex_unlock(&counters->devices_mutex);
    snprintf(out_text, COUNTERS_TEXT_BYTES,
             _("requests %llu  refused %llu  commits %llu  entries %llu  devices %zu  "
               "rss_anon %lu.%lu MiB  connections %u  turned away %llu  closed silent %llu  "
               "unanswered %llu"),
             (unsigned long long)counters->requests, (unsigned long long)counters->refused,
             (unsigned long long)counters->commits, (unsigned long long)counters->entries, devices,
             kib / 1024, kib % 1024 * 10 / 1024, guard.connections,
             (unsigned long long)(guard.refused_total + guard.refused_address),
             (unsigned long long)guard.swept, (unsigned long long)counters->unanswered);
}
