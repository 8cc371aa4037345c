/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our encoders and decoders against tests/vectors/wire.json, which a second implementation made.
 * Each vector is encoded from its fields and compared, then decoded, encoded again and compared.
 */
#include <stdio.h>

#include "base/bytes.h"
#include "control_again.h"
#include "vectors.h"
#include "wire/envelope.h"
#include "wire/loop_frame.h"
#include "wire/payload.h"
#include "wire_test.h"

static const json_t *section(void **state, const char *name)
{
	const json_t *rows = json_object_get(*state, name);

	assert_true(json_array_size(rows) > 0);
	return rows;
}

static const json_t *member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	assert_non_null(value);
	return value;
}

static uint64_t number(const json_t *object, const char *name)
{
	const json_t *value = member(object, name);

	/* Numbers of 64 bits are 16 hex digits: JSON's may lose some. */
	if (json_is_string(value))
		return strtoull(json_string_value(value), NULL, 16);
	assert_true(json_is_integer(value) && json_integer_value(value) >= 0);
	return (uint64_t)json_integer_value(value);
}

static uint32_t number32(const json_t *object, const char *name)
{
	uint64_t v = number(object, name);

	assert_true(v <= UINT32_MAX);
	return (uint32_t)v;
}

static uint16_t number16(const json_t *object, const char *name)
{
	uint64_t v = number(object, name);

	assert_true(v <= UINT16_MAX);
	return (uint16_t)v;
}

static uint8_t number8(const json_t *object, const char *name)
{
	uint64_t v = number(object, name);

	assert_true(v <= UINT8_MAX);
	return (uint8_t)v;
}

/* Exactly len bytes of a hex string. */
static void bytes(const json_t *object, const char *name, void *out, size_t len)
{
	struct hex h = hex_decode(json_string_value(member(object, name)));

	assert_int_equal(h.len, len);
	memcpy(out, h.data, len);
	hex_free(&h);
}

/* At most cap bytes; returns how many. */
static uint8_t bytes_upto(const json_t *object, const char *name, uint8_t *out, size_t cap)
{
	struct hex h = hex_decode(json_string_value(member(object, name)));
	uint8_t len = (uint8_t)h.len;

	assert_true(h.len <= cap && cap <= UINT8_MAX);
	memcpy(out, h.data, h.len);
	hex_free(&h);
	return len;
}

static struct endpoint endpoint(const json_t *object, const char *name)
{
	const json_t *value = member(object, name);
	struct endpoint e;

	bytes(value, "ip", e.ip, sizeof(e.ip));
	e.port = number16(value, "port");
	return e;
}

static uint8_t count(const json_t *object, const char *name, uint8_t max)
{
	size_t n = json_array_size(member(object, name));

	assert_true(n <= max);
	return (uint8_t)n;
}

/* A generator that gives the bytes of a vector, in order. */
static void replay_fill(void *ctx, void *buf, size_t len)
{
	struct reader *r = ctx;

	reader_copy(r, buf, len);
	assert_true(reader_ok(r));
}

static size_t encode_body(uint8_t *body, const char *name, const json_t *f)
{
	struct hex noise = hex_member(f, "noise"), pad = hex_member(f, "pad");
	struct msg_init init = {.noise = noise.data, .noise_len = noise.len};
	struct msg_response response = {.noise = noise.data, .noise_len = noise.len};
	struct msg_cookie cookie;
	struct msg_hello hello;
	uint8_t mac2[MAC2_LEN];
	struct reader r;
	const struct random rnd = {replay_fill, &r};
	size_t len;

	reader_init(&r, pad.data, pad.len);
	if (strcmp(name, "init") == 0) {
		init.sender = number32(f, "sender");
		init.key_index = number16(f, "key_index");
		bytes(f, "mac2", mac2, sizeof(mac2));
		init.mac2 = mac2;
		len = msg_init_encode(body, ENVELOPE_BODY_MAX, &init, pad.len, &rnd);
	} else if (strcmp(name, "response") == 0) {
		response.sender = number32(f, "sender");
		response.receiver = number32(f, "receiver");
		len = msg_response_encode(body, ENVELOPE_BODY_MAX, &response, pad.len, &rnd);
	} else if (strcmp(name, "cookie") == 0) {
		cookie.receiver = number32(f, "receiver");
		cookie.reason = number8(f, "reason");
		bytes(f, "cookie", cookie.cookie, sizeof(cookie.cookie));
		len = msg_cookie_encode(body, ENVELOPE_BODY_MAX, &cookie);
	} else {
		assert_string_equal(name, "hello");
		hello.answer = number(f, "answer") == 1;
		bytes(f, "static_public", hello.static_public, sizeof(hello.static_public));
		hello.freshness = number(f, "freshness");
		len = msg_hello_encode(body, ENVELOPE_BODY_MAX, &hello, pad.len, &rnd);
	}
	assert_true(reader_done(&r));
	hex_free(&noise);
	hex_free(&pad);
	return len;
}

/* Reads a body and compares what was read with the fields. */
static void check_body(const uint8_t *body, size_t len, const json_t *f)
{
	struct hex noise = hex_member(f, "noise");
	uint8_t expected[KEY_LEN];
	struct msg_init init;
	struct msg_response response;
	struct msg_cookie cookie;
	struct msg_hello hello;

	switch (envelope_type(body, len)) {
	case PACKET_INIT:
		assert_int_equal(msg_init_decode(&init, body, len), 0);
		assert_int_equal(init.sender, number32(f, "sender"));
		assert_int_equal(init.key_index, number16(f, "key_index"));
		assert_int_equal(init.noise_len, noise.len);
		assert_memory_equal(init.noise, noise.data, noise.len);
		bytes(f, "mac2", expected, MAC2_LEN);
		assert_memory_equal(init.mac2, expected, MAC2_LEN);
		break;
	case PACKET_RESPONSE:
		assert_int_equal(msg_response_decode(&response, body, len), 0);
		assert_int_equal(response.sender, number32(f, "sender"));
		assert_int_equal(response.receiver, number32(f, "receiver"));
		assert_int_equal(response.noise_len, noise.len);
		assert_memory_equal(response.noise, noise.data, noise.len);
		break;
	case PACKET_COOKIE:
		assert_int_equal(msg_cookie_decode(&cookie, body, len), 0);
		assert_int_equal(cookie.receiver, number32(f, "receiver"));
		assert_int_equal(cookie.reason, number8(f, "reason"));
		bytes(f, "cookie", expected, COOKIE_LEN);
		assert_memory_equal(cookie.cookie, expected, COOKIE_LEN);
		break;
	case PACKET_HELLO:
		assert_int_equal(msg_hello_decode(&hello, body, len), 0);
		assert_int_equal(hello.answer, number(f, "answer"));
		bytes(f, "static_public", expected, KEY_LEN);
		assert_memory_equal(hello.static_public, expected, KEY_LEN);
		assert_int_equal(hello.freshness, number(f, "freshness"));
		break;
	default:
		fail_msg("not a message of an envelope");
	}
	hex_free(&noise);
}

static void envelopes(void **state)
{
	uint8_t body[ENVELOPE_BODY_MAX], datagram[ENVELOPE_MAX_LEN], key[KEY_LEN];
	const json_t *rows = section(state, "envelopes");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *v = json_array_get(rows, i), *fields = member(v, "fields");
		const char *name = json_string_value(member(v, "message"));
		struct hex clear = hex_member(v, "body"), sealed = hex_member(v, "datagram");
		struct hex nonce = hex_member(v, "nonce"), ad = hex_member(v, "ad");
		struct reader r;
		const struct random rnd = {replay_fill, &r};

		assert_int_equal(encode_body(body, name, fields), clear.len);
		assert_memory_equal(body, clear.data, clear.len);
		bytes(v, "key", key, sizeof(key));
		reader_init(&r, nonce.data, nonce.len);
		envelope_seal(datagram, body, clear.len, ad.data, ad.len, key, &rnd);
		assert_int_equal(clear.len + ENVELOPE_OVERHEAD, sealed.len);
		assert_memory_equal(datagram, sealed.data, sealed.len);
		memset(body, 0, sizeof(body));
		assert_int_equal(
			envelope_open(body, sealed.data, sealed.len, ad.data, ad.len, key), 0);
		check_body(body, clear.len, fields);
		hex_free(&clear);
		hex_free(&sealed);
		hex_free(&nonce);
		hex_free(&ad);
	}
}

static void mac2(void **state)
{
	const json_t *v = json_array_get(section(state, "mac2"), 0), *f = member(v, "fields");
	struct hex noise = hex_member(f, "noise");
	const struct msg_init m = {
		number32(f, "sender"), number16(f, "key_index"), noise.data, noise.len, NULL};
	uint8_t cookie[COOKIE_LEN], expected[MAC2_LEN], mac[MAC2_LEN];

	bytes(v, "cookie", cookie, sizeof(cookie));
	bytes(v, "mac2", expected, sizeof(expected));
	msg_init_mac2(mac, cookie, &m);
	assert_memory_equal(mac, expected, sizeof(mac));
	hex_free(&noise);
}

static void payloads(void **state)
{
	const json_t *rows = section(state, "payloads");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *v = json_array_get(rows, i), *f = member(v, "fields");
		struct hex wire = hex_member(v, "bytes");
		uint8_t out[PAYLOAD_MAX_LEN];
		struct payload p = {
			.freshness = number(f, "freshness"),
			.caps = number32(f, "caps"),
			.transforms = number32(f, "transforms"),
			.generation = number32(f, "generation"),
			.incarnation = number32(f, "incarnation"),
			.mtu = number16(f, "mtu"),
			.result = json_object_get(f, "result") != NULL ? number16(f, "result") : 0,
			.has_share = json_object_get(f, "share") != NULL,
			.has_hop_mask = json_object_get(f, "hop_mask") != NULL,
		};

		for (size_t k = 0; k < 4; k++) {
			p.key_indexes[k] = (uint16_t)json_integer_value(
				json_array_get(member(f, "key_indexes"), k));
		}
		if (p.has_share)
			bytes(f, "share", p.share, sizeof(p.share));
		if (p.has_hop_mask)
			bytes(f, "hop_mask", p.hop_mask, sizeof(p.hop_mask));
		assert_int_equal(payload_encode(out, sizeof(out), &p), wire.len);
		assert_memory_equal(out, wire.data, wire.len);
		memset(&p, 0xff, sizeof(p));
		assert_int_equal(payload_decode(&p, wire.data, wire.len), 0);
		memset(out, 0, sizeof(out));
		assert_int_equal(payload_encode(out, sizeof(out), &p), wire.len);
		assert_memory_equal(out, wire.data, wire.len);
		hex_free(&wire);
	}
}

static void data_packets(void **state)
{
	const json_t *rows = section(state, "data");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *v = json_array_get(rows, i), *f = member(v, "fields");
		struct hex clear = hex_member(v, "clear"), wire = hex_member(v, "datagram");
		struct hex text = hex_member(f, "text");
		uint8_t packet[2048], key[KEY_LEN], nonce[NONCE_LEN], mask_key[MASK_LEN];
		struct data_header h = {number8(f, "kind"), number8(f, "piece"),
			number8(f, "cipher"), number(f, "csum_unset") == 1, number32(f, "index"),
			number32(f, "counter"), number(f, "group") == 1};

		bytes(f, "key", key, sizeof(key));
		bytes(f, "iv", nonce, sizeof(nonce));
		bytes(v, "mask_key", mask_key, sizeof(mask_key));
		store_be32(nonce + 8, load_be32(nonce + 8) ^ h.counter);
		data_header_write(packet, &h);
		crypto_chachapoly_seal(packet + DATA_HEADER_LEN, text.data, text.len, packet,
			DATA_HEADER_LEN, nonce, key);
		assert_int_equal(clear.len, text.len + DATA_OVERHEAD);
		assert_memory_equal(packet, clear.data, clear.len);
		packet_mask(packet, wire.len, DATA_HEADER_LEN, mask_key);
		assert_memory_equal(packet, wire.data, wire.len);
		packet_mask(packet, wire.len, DATA_HEADER_LEN, mask_key);
		assert_true(number(f, "group") == 1 ? group_header_read(&h, packet)
						    : data_header_read(&h, packet));
		data_header_write(packet, &h);
		assert_memory_equal(packet, clear.data, DATA_HEADER_LEN);
		hex_free(&clear);
		hex_free(&wire);
		hex_free(&text);
	}
}

static void loop_frames(void **state)
{
	const json_t *rows = section(state, "loop_frames");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *v = json_array_get(rows, i), *f = member(v, "fields");
		struct hex wire = hex_member(v, "frame");
		uint8_t out[LOOP_FRAME_MAX];
		struct loop_frame l = {.vlan = (uint16_t)number(f, "vlan"),
			.kind = number8(f, "kind"),
			.flags = number8(f, "flags"),
			.number = number32(f, "number")};
		struct loop_frame read;

		if (number(f, "service") == 1)
			l.vlan |= VLAN_SERVICE;
		bytes(f, "source", l.source.b, sizeof(l.source.b));
		bytes(f, "tag", l.tag, sizeof(l.tag));
		assert_int_equal(loop_frame_encode(out, &l), wire.len);
		assert_memory_equal(out, wire.data, wire.len);
		assert_int_equal(loop_frame_decode(&read, wire.data, wire.len), 0);
		assert_memory_equal(&read, &l, sizeof(l));
		hex_free(&wire);
	}
}

static void relay_packets(void **state)
{
	const json_t *rows = section(state, "relay");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *v = json_array_get(rows, i), *f = member(v, "fields");
		struct hex inner = hex_member(f, "inner"), wire = hex_member(v, "datagram");
		uint8_t packet[2048], header[RELAY_MASKED_LEN], mac_key[16], mask_key[MASK_LEN];
		struct relay_header h = {number8(f, "hop_limit"), number32(f, "index"),
			number32(f, "counter"), number32(f, "handle"), number(f, "group") == 1};

		bytes(v, "header", header, sizeof(header));
		bytes(f, "mac_key", mac_key, sizeof(mac_key));
		bytes(f, "mask_key", mask_key, sizeof(mask_key));
		relay_header_write(packet, &h);
		assert_memory_equal(packet, header, sizeof(header));
		relay_mac(packet + RELAY_MASKED_LEN, mac_key, packet, inner.data, inner.len);
		memcpy(packet + RELAY_HEADER_LEN, inner.data, inner.len);
		assert_int_equal(wire.len, RELAY_HEADER_LEN + inner.len);
		packet_mask(packet, wire.len, RELAY_MASKED_LEN, mask_key);
		assert_memory_equal(packet, wire.data, wire.len);
		packet_mask(packet, wire.len, RELAY_MASKED_LEN, mask_key);
		assert_true(relay_header_read(&h, packet));
		relay_header_write(packet, &h);
		assert_memory_equal(packet, header, sizeof(header));
		hex_free(&inner);
		hex_free(&wire);
	}
}

static void encode_ack(struct writer *w, uint32_t seq, const json_t *f)
{
	struct control_ack m = {.n = count(f, "ranges", ACK_RANGES_MAX)};

	assert_int_equal(seq, 0);
	for (size_t i = 0; i < m.n; i++) {
		const json_t *range = json_array_get(member(f, "ranges"), i);

		m.range[i].first = (uint32_t)json_integer_value(json_array_get(range, 0));
		m.range[i].last = (uint32_t)json_integer_value(json_array_get(range, 1));
	}
	control_ack_encode(w, &m);
}

static void encode_ping(struct writer *w, uint32_t seq, const json_t *f)
{
	assert_int_equal(seq, 0);
	control_ping_encode(w, &(struct control_ping){number(f, "token")});
}

static void encode_pong(struct writer *w, uint32_t seq, const json_t *f)
{
	assert_int_equal(seq, 0);
	control_pong_encode(w, &(struct control_pong){number(f, "token"), endpoint(f, "observed")});
}

static void encode_register(struct writer *w, uint32_t seq, const json_t *f)
{
	struct control_register m = {.incarnation = number32(f, "incarnation"),
		.roster_version = number(f, "roster_version")};

	bytes(f, "tag", m.tag, sizeof(m.tag));
	bytes(f, "static_public", m.static_public, sizeof(m.static_public));
	bytes(f, "proof", m.proof, sizeof(m.proof));
	m.locator_len = bytes_upto(f, "locator", m.locator, sizeof(m.locator));
	control_register_encode(w, seq, &m);
}

static void encode_registered(struct writer *w, uint32_t seq, const json_t *f)
{
	const struct control_registered m = {number8(f, "result"), number32(f, "handle"),
		number16(f, "lease_s"), endpoint(f, "observed"),
		json_object_get(f, "twice") != NULL && number(f, "twice") == 1};

	control_registered_encode(w, seq, &m);
}

static void encode_unregister(struct writer *w, uint32_t seq, const json_t *f)
{
	(void)f;
	assert_int_equal(seq, 0);
	control_unregister_encode(w);
}

static void encode_roster(struct writer *w, uint32_t seq, const json_t *f)
{
	struct control_roster m = {.base = number(f, "base"),
		.version = number(f, "version"),
		.last = number(f, "last") == 1,
		.n = count(f, "entries", ROSTER_PAGE_MAX)};

	for (size_t i = 0; i < m.n; i++) {
		const json_t *entry = json_array_get(member(f, "entries"), i);
		struct roster_entry *e = &m.entry[i];

		e->gone = number(entry, "gone") == 1;
		e->twice = json_object_get(entry, "twice") != NULL && number(entry, "twice") == 1;
		e->handle = number32(entry, "handle");
		e->incarnation = number32(entry, "incarnation");
		bytes(entry, "static_public", e->static_public, sizeof(e->static_public));
		e->locator_len = bytes_upto(entry, "locator", e->locator, sizeof(e->locator));
	}
	control_roster_encode(w, seq, &m);
}

static void encode_bye(struct writer *w, uint32_t seq, const json_t *f)
{
	assert_int_equal(seq, 0);
	control_bye_encode(w, &(struct control_bye){number8(f, "reason")});
}

static void encode_candidates(struct writer *w, uint32_t seq, const json_t *f)
{
	struct control_candidates m = {.port_count = number8(f, "port_count"),
		.n = count(f, "candidates", CANDIDATES_MAX)};

	bytes(f, "mask", m.mask, sizeof(m.mask));
	for (size_t i = 0; i < m.n; i++) {
		const json_t *c = json_array_get(member(f, "candidates"), i);

		m.candidate[i].kind = number8(c, "kind");
		m.candidate[i].endpoint = endpoint(c, "endpoint");
	}
	control_candidates_encode(w, seq, &m);
}

static void encode_probe(struct writer *w, uint32_t seq, const json_t *f)
{
	assert_int_equal(seq, 0);
	control_probe_encode(w, &(struct control_probe){number(f, "token")});
}

static void encode_echo(struct writer *w, uint32_t seq, const json_t *f)
{
	assert_int_equal(seq, 0);
	control_echo_encode(w, &(struct control_echo){number(f, "token"), endpoint(f, "observed")});
}

static void encode_claim(struct writer *w, uint32_t seq, const json_t *f)
{
	struct control_claim m = {.n = count(f, "addresses", CLAIM_ADDRESSES_MAX)};

	bytes(f, "mac", m.mac.b, sizeof(m.mac.b));
	bytes(f, "tag", m.tag, sizeof(m.tag));
	m.roles = number8(f, "roles");
	for (size_t i = 0; i < m.n; i++) {
		const json_t *a = json_array_get(member(f, "addresses"), i);

		bytes(a, "ip", m.address[i].ip, sizeof(m.address[i].ip));
		m.address[i].prefix = number8(a, "prefix");
	}
	control_claim_encode(w, seq, &m);
}

static void encode_statics(struct writer *w, enum control_type type, const json_t *f)
{
	struct control_vouch m = {.n = count(f, "statics", VOUCH_MAX)};

	for (size_t i = 0; i < m.n; i++)
		bytes(json_array_get(member(f, "statics"), i), "static_public", m.static_public[i],
			KEY_LEN);
	control_vouch_encode(w, type, &m);
}

static void encode_vouch_ask(struct writer *w, uint32_t seq, const json_t *f)
{
	(void)seq;
	encode_statics(w, CONTROL_VOUCH_ASK, f);
}

static void encode_vouch(struct writer *w, uint32_t seq, const json_t *f)
{
	(void)seq;
	encode_statics(w, CONTROL_VOUCH, f);
}

static void encode_claim_refused(struct writer *w, uint32_t seq, const json_t *f)
{
	struct control_claim_refused m;

	(void)seq;
	bytes(f, "mac", m.mac.b, sizeof(m.mac.b));
	bytes(f, "owner", m.owner, sizeof(m.owner));
	control_claim_refused_encode(w, &m);
}

static void encode_group_key(struct writer *w, uint32_t seq, const json_t *f)
{
	struct control_group_key m = {.index = number32(f, "index"),
		.suite = number8(f, "suite"),
		.floor = number32(f, "floor"),
		.is_signed = json_object_get(f, "verify") != NULL};

	bytes(f, "key", m.key, sizeof(m.key));
	bytes(f, "iv", m.iv, sizeof(m.iv));
	bytes(f, "mask", m.mask, sizeof(m.mask));
	if (m.is_signed)
		bytes(f, "verify", m.verify, sizeof(m.verify));
	control_group_key_encode(w, seq, &m);
}

static void encode_group_ask(struct writer *w, uint32_t seq, const json_t *f)
{
	assert_int_equal(seq, 0);
	control_group_ask_encode(w, &(struct control_group_ask){number32(f, "index")});
}

static void encode_listeners(struct writer *w, uint32_t seq, const json_t *f)
{
	struct control_listeners m = {
		.all = number(f, "all") == 1, .n = count(f, "groups", LISTENED_MAX)};

	for (size_t i = 0; i < m.n; i++)
		bytes(json_array_get(member(f, "groups"), i), "mac", m.group[i].b, 6);
	control_listeners_encode(w, seq, &m);
}

static void encode_names(struct writer *w, uint32_t seq, const json_t *f)
{
	struct control_names m = {0};

	m.community_len = bytes_upto(f, "community", (uint8_t *)m.community, COMMUNITY_NAME_MAX);
	control_names_encode(w, seq, &m);
}

static uint8_t handles(const json_t *f, const char *name, uint32_t *out)
{
	uint8_t n = count(f, name, FANOUT_CHANGES_MAX);

	for (size_t i = 0; i < n; i++)
		out[i] = (uint32_t)json_integer_value(json_array_get(member(f, name), i));
	return n;
}

static void encode_fanout(struct writer *w, uint32_t seq, const json_t *f)
{
	struct control_fanout m = {.set = number8(f, "set"),
		.base = number32(f, "from"),
		.version = number32(f, "to")};

	assert_int_equal(seq, 0);
	m.n_gone = handles(f, "gone", m.gone);
	m.n_new = handles(f, "new", m.new);
	control_fanout_encode(w, &m);
}

static void encode_fanned(struct writer *w, uint32_t seq, const json_t *f)
{
	assert_int_equal(seq, 0);
	control_fanned_encode(w,
		&(struct control_fanned){number8(f, "set"), number32(f, "has"),
			number32(f, "refused"), number32(f, "packets_s"), number32(f, "bytes_s")});
}

static const struct {
	const char *name;
	uint8_t type;
	void (*encode)(struct writer *w, uint32_t seq, const json_t *fields);
} control_types[] = {
	{"ack", CONTROL_ACK, encode_ack},
	{"ping", CONTROL_PING, encode_ping},
	{"pong", CONTROL_PONG, encode_pong},
	{"register", CONTROL_REGISTER, encode_register},
	{"registered", CONTROL_REGISTERED, encode_registered},
	{"unregister", CONTROL_UNREGISTER, encode_unregister},
	{"roster", CONTROL_ROSTER, encode_roster},
	{"bye", CONTROL_BYE, encode_bye},
	{"candidates", CONTROL_CANDIDATES, encode_candidates},
	{"path_probe", CONTROL_PATH_PROBE, encode_probe},
	{"path_echo", CONTROL_PATH_ECHO, encode_echo},
	{"claim", CONTROL_CLAIM, encode_claim},
	{"vouch_ask", CONTROL_VOUCH_ASK, encode_vouch_ask},
	{"vouch", CONTROL_VOUCH, encode_vouch},
	{"claim_refused", CONTROL_CLAIM_REFUSED, encode_claim_refused},
	{"group_key", CONTROL_GROUP_KEY, encode_group_key},
	{"group_ask", CONTROL_GROUP_ASK, encode_group_ask},
	{"listeners", CONTROL_LISTENERS, encode_listeners},
	{"names", CONTROL_NAMES, encode_names},
	{"fanout", CONTROL_FANOUT, encode_fanout},
	{"fanned", CONTROL_FANNED, encode_fanned},
};

#define CONTROL_TYPES_KNOWN (sizeof(control_types) / sizeof(control_types[0]))

static size_t find_type(const char *name)
{
	size_t i = 0;

	while (i < CONTROL_TYPES_KNOWN && strcmp(control_types[i].name, name) != 0)
		i++;
	assert_true(i < CONTROL_TYPES_KNOWN);
	return i;
}

static void control_messages(void **state)
{
	const json_t *rows = section(state, "control");
	bool met[CONTROL_TYPES_KNOWN] = {false};

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *v = json_array_get(rows, i);
		size_t type = find_type(json_string_value(member(v, "message")));
		struct hex wire = hex_member(v, "bytes");
		uint8_t out[CONTROL_MAX_LEN];
		struct control_msg m;
		struct reader r;
		struct writer w;

		met[type] = true;
		writer_init(&w, out, sizeof(out));
		control_types[type].encode(&w, number32(v, "seq"), member(v, "fields"));
		assert_true(writer_ok(&w));
		assert_int_equal(writer_len(&w), wire.len);
		assert_memory_equal(out, wire.data, wire.len);
		reader_init(&r, wire.data, wire.len);
		assert_int_equal(control_next(&r, &m), 1);
		assert_int_equal(m.type, control_types[type].type);
		assert_int_equal(m.seq, number32(v, "seq"));
		if (m.type != CONTROL_UNREGISTER) {
			memset(out, 0, sizeof(out));
			writer_init(&w, out, sizeof(out));
			assert_int_equal(control_again(&w, &m), 0);
			assert_memory_equal(out, wire.data, wire.len);
		}
		assert_int_equal(control_next(&r, &m), 0);
		hex_free(&wire);
	}
	for (size_t i = 0; i < CONTROL_TYPES_KNOWN; i++)
		assert_true(met[i]);
}

/* What core/party.h derives is checked there; here the same from the primitives alone. */
static void envelope_keys(void **state)
{
	const json_t *v = json_array_get(section(state, "envelope_keys"), 0);
	uint8_t public[KEY_LEN], tag[COMMUNITY_TAG_LEN], env[KEY_LEN], expected[KEY_LEN],
		key[KEY_LEN];

	bytes(v, "static_public", public, sizeof(public));
	bytes(v, "tag", tag, sizeof(tag));
	bytes(v, "env", env, sizeof(env));
	bytes(v, "hop", expected, sizeof(expected));
	crypto_blake2b(key, sizeof(key), NULL, 0,
		(const struct slice[]){{"n2n4 env hop", 12}, {public, sizeof(public)}}, 2);
	assert_memory_equal(key, expected, sizeof(key));
	bytes(v, "community", expected, sizeof(expected));
	crypto_blake2b(key, sizeof(key), env, sizeof(env),
		(const struct slice[]){{public, sizeof(public)}}, 1);
	assert_memory_equal(key, expected, sizeof(key));
	bytes(v, "passphrase", expected, sizeof(expected));
	crypto_blake2b(key, sizeof(key), NULL, 0,
		(const struct slice[]){
			{"n2n4 env pass", 13}, {tag, sizeof(tag)}, {public, sizeof(public)}},
		3);
	assert_memory_equal(key, expected, sizeof(key));
	bytes(v, "hello", expected, sizeof(expected));
	crypto_blake2b(
		key, sizeof(key), NULL, 0, (const struct slice[]){{"n2n4 env hello", 14}}, 1);
	assert_memory_equal(key, expected, sizeof(key));
}

static void register_proof(void **state)
{
	const json_t *v = json_array_get(section(state, "register_proof"), 0);
	uint8_t secret[KEY_LEN], public[KEY_LEN], hash[HASH_LEN], tag[COMMUNITY_TAG_LEN],
		edge[KEY_LEN];
	uint8_t shared[KEY_LEN], other[KEY_LEN], proof[32], expected[16];

	bytes(v, "edge_secret", secret, sizeof(secret));
	bytes(v, "supernode_public", public, sizeof(public));
	bytes(v, "edge_public", edge, sizeof(edge));
	bytes(v, "hash", hash, sizeof(hash));
	bytes(v, "tag", tag, sizeof(tag));
	bytes(v, "proof", expected, sizeof(expected));
	assert_int_equal(crypto_x25519(shared, secret, public), 0);
	bytes(v, "supernode_secret", secret, sizeof(secret));
	assert_int_equal(crypto_x25519(other, secret, edge), 0);
	assert_memory_equal(shared, other, sizeof(shared));
	crypto_blake2b(proof, sizeof(proof), shared, sizeof(shared),
		(const struct slice[]){{"n2n4 register", 13}, {hash, sizeof(hash)},
			{tag, sizeof(tag)}, {edge, sizeof(edge)}},
		4);
	assert_memory_equal(proof, expected, sizeof(expected));
}

static int load(void **state)
{
	const char *root = getenv("N2N_SOURCE_ROOT");
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/vectors/wire.json", root != NULL ? root : ".");
	*state = json_load_file(path, 0, NULL);
	if (*state == NULL)
		fprintf(stderr, "cannot read %s; set N2N_SOURCE_ROOT to the checkout\n", path);
	return *state != NULL ? 0 : -1;
}

static int unload(void **state)
{
	json_decref(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(envelopes),
		cmocka_unit_test(mac2),
		cmocka_unit_test(envelope_keys),
		cmocka_unit_test(register_proof),
		cmocka_unit_test(payloads),
		cmocka_unit_test(data_packets),
		cmocka_unit_test(relay_packets),
		cmocka_unit_test(loop_frames),
		cmocka_unit_test(control_messages),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, load, unload);
}
