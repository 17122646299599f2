/*
 * options.h: what the operator asked for on the command line and in the environment.
 *
 * No abbreviations, no configuration file: what a server needs to know about its network comes in
 * the signed invitation.
 */

#ifndef CAIRN_SERVER_OPTIONS_H
#define CAIRN_SERVER_OPTIONS_H

#include "cairn/base.h"

enum {
    OPTIONS_CONNECTIONS_DEFAULT = 4000,
    OPTIONS_CONNECTIONS_MAX = 60000,
    /* Generous: whole counties come through the one address of a satellite gateway or a carrier's
     * NAT. It leaves room for three such gateways beside a flood from one address. */
    OPTIONS_PER_ADDRESS_DEFAULT = 1000,
    OPTIONS_PATH_BYTES = 4096,
};

struct options {
    char store[OPTIONS_PATH_BYTES];
    const char *listen;          /* NULL: not given */
    const char *passphrase_file; /* NULL: not given */
    const char *ready_file;      /* NULL: not given */
    unsigned workers;            /* at least 1 */
    unsigned connections_max;
    unsigned per_address_max; /* 0: no limit */
    bool wants_help, wants_version;
};

/* BAD_INPUT: err says which option and why. The texts are borrowed from argv and the
 * environment. */
CAIRN_NODISCARD
enum cairn_status options_parse(int argc, char *const *argv, struct options *out_options,
                                struct cairn_err *err);
/* The help text, translated. */
const char *options_help(void);

#endif
