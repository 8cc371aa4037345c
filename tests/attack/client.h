/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An edge's side of a hop, by hand: a real handshake with a supernode and a real REGISTER, with a
 * static, a community and an address that were made up for it. It does what it is told and nothing
 * by itself: no PING, no ACK, no repetition.
 */
#ifndef N2N_TESTS_ATTACK_CLIENT_H
#define N2N_TESTS_ATTACK_CLIENT_H

#include "attacker.h"
#include "core/keys/handshake.h"

enum client_state {
	CLIENT_ASKED, /* INIT was sent */
	CLIENT_KEYED, /* there are keys, REGISTER was sent */
	CLIENT_UP,
	CLIENT_REFUSED
};

/* A socket at an own address, for any number of clients. */
struct door {
	int fd;
	uint32_t address; /* in host order */
	uint16_t port;
};

struct client {
	const struct door *door;
	uint32_t index; /* ours, by which packets to us are known */
	enum client_state state;
	unsigned result;       /* of the REGISTERED that came last */
	struct party hop;      /* towards the supernode */
	struct keypair member; /* what is registered */
	uint8_t tag[COMMUNITY_TAG_LEN];
	uint32_t incarnation;
	struct attempt attempt;
	uint64_t asked_ns; /* when INIT or REGISTER was sent last */
	struct keyset *keys;
	uint8_t mask[MASK_LEN]; /* the supernode's hop mask key */
	uint32_t seq;
	uint32_t handle;
	struct control_fanned fanned;		   /* the last one */
	struct roster_entry listed;		   /* the first that the roster names */
	uint64_t sent_bytes, got_bytes, sent, got; /* UDP payload, datagrams */
	unsigned acks;				   /* sequences to acknowledge */
	uint32_t ack[16];
};

/* The address need not be one of an interface; port 0: any. */
void door_open(struct door *d, const struct orders *o, uint32_t address, uint16_t port);
/* The next datagram that came, into 2,048 bytes; 0: none is there. */
size_t door_next(const struct door *d, uint8_t *buf);

/*
 * A member of the community with this tag. All clients have the hop mask key of the orders and an
 * index made from their number: client_number finds whose a packet is. Sends nothing yet.
 */
void client_init(struct client *c, const struct orders *o, const struct door *d, unsigned number,
	const uint8_t tag[COMMUNITY_TAG_LEN]);
/* The number of the client that a packet in a session is for, if it is one. */
unsigned client_number(const struct orders *o, const uint8_t *data, size_t len);
/* Sends INIT, or, with keys, REGISTER. */
void client_ask(struct client *c, const struct orders *o);
/*
 * Takes a datagram, which it may change, REGISTER following on a RESPONSE; sequences are noted for
 * client_ack. False: it is not for this client.
 */
bool client_take(struct client *c, const struct orders *o, uint8_t *data, size_t len);
/* Acknowledges what was noted. */
void client_ack(struct client *c);
/*
 * Seals control messages, or a keepalive if there are none, into out, DATAGRAM_ROOM bytes; returns
 * the length.
 */
size_t client_seal(struct client *c, const struct writer *messages, uint8_t *out);
/* Seals them and sends them from the door. */
void client_send(struct client *c, const struct writer *messages);
/* Sends an envelope of at most ENVELOPE_MAX_LEN bytes to the member with this handle. */
void client_relay(struct client *c, uint32_t handle, const uint8_t *envelope, size_t len);
/* The same of a group packet of at most that length, for a fan-out set (fanout_handle). */
void client_relay_group(struct client *c, uint32_t set, const uint8_t *inner, size_t len);
void client_fini(struct client *c);

/* Takes all that came to a client that has its door for itself. */
void client_take_all(struct client *c, const struct orders *o);
/* Asks until it is registered or refused, for at most so long; true when it is registered. */
bool client_register(struct client *c, const struct orders *o, double seconds);

#endif
