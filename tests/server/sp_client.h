/*
 * sp_client.h: the wire of nanomsg's REQ, on plain sockets and as badly as a test wants it:
 * an 8-byte greeting, then messages of a 64-bit length, a 32-bit request id with the top bit set, a
 * body.
 *
 * Every call may fail: the server cuts off whom it does not like.
 */

#ifndef CAIRN_TESTS_SP_CLIENT_H
#define CAIRN_TESTS_SP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const uint8_t sp_greeting[8];

/* A connection with 30 s of patience; receive_buffer 0: the kernel's default. -1: refused. */
int sp_connect(uint16_t port, int receive_buffer);
/* With greetings exchanged; -1: refused. */
int sp_open(uint16_t port, int receive_buffer);
void sp_close(int fd);
void sp_reset(int fd); /* RST instead of FIN */
bool sp_send(int fd, const void *data, size_t size);
bool sp_receive(int fd, void *out_data, size_t size);
/* Announce `announced` bytes and send `size` of them. */
bool sp_send_message(int fd, uint64_t announced, const void *data, size_t size);
/* One request of `size` bytes and its echo. */
bool sp_echo(int fd, size_t size);
/* True once the other side has closed, within timeout_ms; what it sends meanwhile is read. */
bool sp_is_cut_off(int fd, int timeout_ms);
int64_t sp_now_ms(void);
void sp_pause_ms(int ms);

#endif
