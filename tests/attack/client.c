/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A hop session by hand. */
#define _GNU_SOURCE
#include "client.h"

#include <string.h>
#include <sys/socket.h>

#include "crypto/aead/aead.h"

#define ASK_AGAIN_NS (NS_PER_S * 2 / 5)

void door_open(struct door *d, const struct orders *o, uint32_t address, uint16_t port)
{
	const int yes = 1, room = 8 << 20;
	struct sockaddr_in at = {AF_INET, htons(port), {htonl(address)}, {0}};
	socklen_t at_len = sizeof(at);

	d->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd < 0 || setsockopt(d->fd, IPPROTO_IP, IP_FREEBIND, &yes, sizeof(yes)) != 0 ||
		bind(d->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
		connect(d->fd, (const struct sockaddr *)&o->to, sizeof(o->to)) != 0 ||
		getsockname(d->fd, (struct sockaddr *)&at, &at_len) != 0)
		give_up("socket of a client");
	setsockopt(d->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	d->address = address;
	d->port = ntohs(at.sin_port);
}

size_t door_next(const struct door *d, uint8_t *buf)
{
	ssize_t n = recv(d->fd, buf, 2048, 0);

	return n > 0 ? (size_t)n : 0;
}

void client_init(struct client *c, const struct orders *o, const struct door *d, unsigned number,
	const uint8_t tag[COMMUNITY_TAG_LEN])
{
	uint8_t seed[SEED_LEN];

	memset(c, 0, sizeof(*c));
	c->door = d;
	c->index = number << 2;
	memcpy(c->tag, tag, sizeof(c->tag));
	random_bytes(&o->rnd, seed, sizeof(seed));
	party_init_hop(&c->hop, seed, tag, o->key);
	memcpy(c->hop.hop_mask, o->mask, MASK_LEN);
	random_bytes(&o->rnd, c->member.secret, KEY_LEN);
	crypto_x25519_public(c->member.public, c->member.secret);
	c->hop.incarnation = c->incarnation = random_u32(&o->rnd);
	c->hop.mtu = 1376;
}

static void put(struct client *c, const uint8_t *data, size_t len)
{
	if (send(c->door->fd, data, len, 0) != (ssize_t)len)
		return;
	c->sent++;
	c->sent_bytes += len;
}

static void send_register(struct client *c, const struct orders *o)
{
	struct control_register m = {.incarnation = c->incarnation};
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	memcpy(m.tag, c->tag, sizeof(m.tag));
	memcpy(m.static_public, c->member.public, KEY_LEN);
	if (party_register_proof(
		    m.proof, c->member.secret, o->key, c->keys->hash, m.tag, m.static_public) != 0)
		give_up("proof");
	writer_init(&w, buf, sizeof(buf));
	control_register_encode(&w, ++c->seq, &m);
	client_send(c, &w);
}

void client_ask(struct client *c, const struct orders *o)
{
	const struct attempt_params params = {o->key, c->index, 1, today_ms(), 0};
	uint8_t out[ENVELOPE_MAX_LEN];

	c->asked_ns = now_ns();
	if (c->keys != NULL) {
		send_register(c, o);
		return;
	}
	if (c->attempt.msg1_len == 0 && attempt_start(&c->attempt, &c->hop, &params, &o->rnd) != 0)
		give_up("INIT");
	put(c, out, attempt_datagram(&c->attempt, &c->hop, out, &o->rnd));
}

/* ---- in ---- */

static bool take_response(struct client *c, const struct orders *o, uint8_t *data, size_t len)
{
	const struct keyset_params params = {.nthreads = 1, .hop = true};
	struct handshake_result result;
	struct msg_response m;
	struct payload theirs;

	if (attempt_cookie(&c->attempt, data, len) == 0) {
		client_ask(c, o);
		return true;
	}
	if (len < ENVELOPE_MIN_LEN || len > ENVELOPE_MAX_LEN ||
		envelope_open(data, data, len, NULL, 0, c->hop.env_key) != 0)
		return false;
	if (msg_response_decode(&m, data, len - ENVELOPE_OVERHEAD) != 0 ||
		attempt_finish(&c->attempt, &c->hop, &m, &result, &theirs) != 0)
		return true;
	c->keys = keyset_create(&result, &params);
	if (c->keys == NULL)
		give_up("keys");
	memcpy(c->mask, theirs.hop_mask, MASK_LEN);
	c->state = CLIENT_KEYED;
	client_ask(c, o);
	return true;
}

static void take_roster(struct client *c, const struct control_msg *m)
{
	struct control_roster page;

	if (control_roster_decode(&page, m->body) != 0)
		return;
	for (unsigned i = 0; i < page.n; i++)
		if (!page.entry[i].gone && c->listed.handle == 0)
			c->listed = page.entry[i];
}

static void take_message(struct client *c, const struct control_msg *m)
{
	struct control_registered r;

	if (m->seq != 0 && c->acks < sizeof(c->ack) / sizeof(c->ack[0]))
		c->ack[c->acks++] = m->seq;
	if (m->type == CONTROL_ROSTER)
		take_roster(c, m);
	if (m->type == CONTROL_FANNED && control_fanned_decode(&c->fanned, m->body) != 0)
		give_up("FANNED");
	if (m->type != CONTROL_REGISTERED || control_registered_decode(&r, m->body) != 0)
		return;
	c->result = r.result;
	c->handle = r.handle;
	c->state = r.result == REGISTER_OK ? CLIENT_UP : CLIENT_REFUSED;
}

static bool is_for_us(
	struct data_header *h, const struct orders *o, const uint8_t *data, size_t len)
{
	uint8_t clear[DATA_HEADER_LEN];

	if (len < DATAGRAM_MIN_LEN)
		return false;
	packet_peek(clear, sizeof(clear), data, len, o->mask);
	return data_header_read(h, clear);
}

unsigned client_number(const struct orders *o, const uint8_t *data, size_t len)
{
	struct data_header h;

	return is_for_us(&h, o, data, len) ? h.index >> 2 : UINT32_MAX;
}

static bool take_packet(struct client *c, const struct orders *o, uint8_t *data, size_t len)
{
	struct aead_state *state;
	struct control_msg m;
	struct data_header h;
	struct aead_op op;
	struct reader r;

	if (!is_for_us(&h, o, data, len) || h.index != c->index)
		return false;
	state = aead_state_create(0);
	if (state == NULL)
		give_up("cipher");
	data_header_write(data, &h);
	op = (struct aead_op){.text = data + DATA_HEADER_LEN,
		.len = len - DATA_OVERHEAD,
		.ad = data,
		.ad_len = DATA_HEADER_LEN};
	key_nonce(op.nonce, c->keys->rx.iv, h.counter);
	if (aead_open(c->keys->rx.key, state, &op, 1) == 1 && h.kind == KIND_CONTROL) {
		reader_init(&r, op.text, op.len);
		while (control_next(&r, &m) == 1)
			take_message(c, &m);
	}
	aead_state_destroy(state);
	return true;
}

bool client_take(struct client *c, const struct orders *o, uint8_t *data, size_t len)
{
	bool ours = c->keys == NULL ? take_response(c, o, data, len) : take_packet(c, o, data, len);

	if (ours) {
		c->got++;
		c->got_bytes += len;
	}
	return ours;
}

void client_take_all(struct client *c, const struct orders *o)
{
	uint8_t buf[2048];
	size_t len;

	while ((len = door_next(c->door, buf)) > 0)
		client_take(c, o, buf, len);
}

/* ---- out ---- */

size_t client_seal(struct client *c, const struct writer *messages, uint8_t *out)
{
	struct aead_state *state = aead_state_create(0);
	struct data_header h = {.kind = writer_len(messages) > 0 ? KIND_CONTROL : KIND_ETHERNET,
		.cipher = (uint8_t)c->keys->tx.suite,
		.index = c->keys->tx.index};
	size_t len = writer_len(messages);
	struct aead_op op = {
		.text = out + DATA_HEADER_LEN, .len = len, .ad = out, .ad_len = DATA_HEADER_LEN};

	if (state == NULL || !send_keys_reserve(&c->keys->tx, 1, &h.counter))
		give_up("cipher");
	memcpy(op.text, messages->start, len);
	data_header_write(out, &h);
	key_nonce(op.nonce, c->keys->tx.iv, h.counter);
	aead_seal(c->keys->tx.key, state, &op, 1);
	aead_state_destroy(state);
	packet_mask(out, len + DATA_OVERHEAD, DATA_HEADER_LEN, c->mask);
	return len + DATA_OVERHEAD;
}

void client_send(struct client *c, const struct writer *messages)
{
	uint8_t out[DATAGRAM_ROOM];

	put(c, out, client_seal(c, messages, out));
}

void client_ack(struct client *c)
{
	struct control_ack ack = {.n = (uint8_t)c->acks};
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	if (c->acks == 0)
		return;
	for (unsigned i = 0; i < c->acks; i++)
		ack.range[i].first = ack.range[i].last = c->ack[i];
	c->acks = 0;
	writer_init(&w, buf, sizeof(buf));
	control_ack_encode(&w, &ack);
	client_send(c, &w);
}

static void relay(
	struct client *c, uint32_t handle, bool group, const uint8_t *envelope, size_t len)
{
	struct relay_header h = {.hop_limit = RELAY_HOP_LIMIT,
		.index = c->keys->tx.index,
		.handle = handle,
		.group = group};
	uint8_t out[RELAY_HEADER_LEN + ENVELOPE_MAX_LEN];

	if (!send_keys_reserve_relay(&c->keys->tx, 1, &h.counter))
		give_up("relay counter");
	memcpy(out + RELAY_HEADER_LEN, envelope, len);
	relay_header_write(out, &h);
	relay_mac(out + RELAY_MASKED_LEN, c->keys->tx.hop_key, out, envelope, len);
	packet_mask(out, RELAY_HEADER_LEN + len, RELAY_MASKED_LEN, c->mask);
	put(c, out, RELAY_HEADER_LEN + len);
}

void client_relay(struct client *c, uint32_t handle, const uint8_t *envelope, size_t len)
{
	relay(c, handle, false, envelope, len);
}

void client_relay_group(struct client *c, uint32_t set, const uint8_t *inner, size_t len)
{
	relay(c, set, true, inner, len);
}

bool client_register(struct client *c, const struct orders *o, double seconds)
{
	uint64_t end = now_ns() + (uint64_t)(seconds * (double)NS_PER_S);

	while (c->state < CLIENT_UP && now_ns() < end) {
		if (now_ns() >= c->asked_ns + ASK_AGAIN_NS)
			client_ask(c, o);
		sleep_us(1000);
		client_take_all(c, o);
	}
	client_ack(c);
	return c->state == CLIENT_UP;
}

void client_fini(struct client *c)
{
	keyset_destroy(c->keys);
	attempt_wipe(&c->attempt);
	party_wipe(&c->hop);
	memset(c, 0, sizeof(*c));
}
