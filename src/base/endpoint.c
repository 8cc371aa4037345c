/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Endpoints as values and as text: RFC 4291 text forms in, RFC 5952 out. */
#include "base/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool endpoint_same_ip(const struct endpoint *a, const struct endpoint *b)
{
	return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && endpoint_same_ip(a, b);
}

bool endpoint_is_v4(const struct endpoint *e)
{
	return memcmp(e->ip, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool endpoint_is_none(const struct endpoint *e)
{
	static const uint8_t zero[16];

	return memcmp(e->ip, zero, sizeof(zero)) == 0 ||
	       (endpoint_is_v4(e) && memcmp(e->ip + 12, zero, 4) == 0);
}

bool endpoint_is_usable(const struct endpoint *e)
{
	if (e->port == 0 || endpoint_is_none(e)) {
		return false;
	}
	if (endpoint_is_v4(e)) {
		/* 0/8 is "this network"; from 224 on come multicast, reserved and broadcast. */
		return e->ip[12] != 0 && e->ip[12] < 224;
	}
	return e->ip[0] != 0xff;
}

bool endpoint_is_link_local(const struct endpoint *e)
{
	if (endpoint_is_v4(e)) {
		return e->ip[12] == 169 && e->ip[13] == 254;
	}
	return e->ip[0] == 0xfe && (e->ip[1] & 0xc0) == 0x80;
}

bool endpoint_is_loopback(const struct endpoint *e)
{
	static const uint8_t one[16] = {[15] = 1};

	return endpoint_is_v4(e) ? e->ip[12] == 127 : memcmp(e->ip, one, sizeof(one)) == 0;
}

struct endpoint endpoint_v4(uint32_t ip_host_order, uint16_t port)
{
	struct endpoint e = {.port = port};

	memcpy(e.ip, v4_prefix, sizeof(v4_prefix));
	store_be32(e.ip + 12, ip_host_order);
	return e;
}

/* A piece of the text that is being parsed. */
struct span {
	const char *p;
	const char *end;
};

/* A decimal number without leading zeros, which some readers take for octal. */
static bool parse_decimal(struct span *s, unsigned max, unsigned *value)
{
	const char *start = s->p;
	unsigned v = 0;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
		v = v * 10 + (unsigned)(*s->p++ - '0');
		if (v > max) {
			return false;
		}
	}
	*value = v;
	return s->p > start && (*start != '0' || s->p == start + 1);
}

static bool parse_hex_group(struct span *s, uint16_t *value)
{
	const char *start = s->p;
	unsigned v = 0;

	for (; s->p < s->end && s->p < start + 4; s->p++) {
		char c = *s->p;

		if (c >= '0' && c <= '9') {
			v = v << 4 | (unsigned)(c - '0');
		} else if (c >= 'a' && c <= 'f') {
			v = v << 4 | (unsigned)(c - 'a' + 10);
		} else if (c >= 'A' && c <= 'F') {
			v = v << 4 | (unsigned)(c - 'A' + 10);
		} else {
			break;
		}
	}
	*value = (uint16_t)v;
	return s->p > start;
}

static bool parse_v4(struct span s, uint8_t ip[4])
{
	for (size_t i = 0; i < 4; i++) {
		unsigned v;

		if (i > 0 && (s.p == s.end || *s.p++ != '.')) {
			return false;
		}
		if (!parse_decimal(&s, 255, &v)) {
			return false;
		}
		ip[i] = (uint8_t)v;
	}
	return s.p == s.end;
}

/* The groups on both sides of a "::", which stands before group gap; -1 when there is none. */
struct groups {
	uint8_t b[16];
	size_t len;
	int gap;
};

/* Reads "::" where it may stand; false when it is the second one. */
static bool parse_gap(struct span *s, struct groups *g)
{
	if (s->end - s->p < 2 || s->p[0] != ':' || s->p[1] != ':') {
		return true;
	}
	if (g->gap >= 0) {
		return false;
	}
	g->gap = (int)g->len;
	s->p += 2;
	return true;
}

static bool parse_groups(struct span s, struct groups *g)
{
	if (!parse_gap(&s, g)) {
		return false;
	}
	while (s.p < s.end) {
		const char *group = s.p;
		uint16_t v;

		if (g->len == sizeof(g->b) || !parse_hex_group(&s, &v)) {
			return false;
		}
		if (s.p < s.end && *s.p == '.') {
			bool fits = g->len <= sizeof(g->b) - 4;

			s.p = group;
			if (!fits || !parse_v4(s, g->b + g->len)) {
				return false;
			}
			g->len += 4;
			return true;
		}
		store_be16(g->b + g->len, v);
		g->len += 2;
		if (s.p == s.end) {
			return true;
		}
		const char *colon = s.p;

		if (!parse_gap(&s, g)) {
			return false;
		}
		if (s.p == colon && (*s.p++ != ':' || s.p == s.end)) {
			return false;
		}
	}
	return true;
}

static bool parse_v6(struct span s, uint8_t ip[16])
{
	struct groups g = {.gap = -1};

	if (!parse_groups(s, &g)) {
		return false;
	}
	if (g.gap < 0 ? g.len != sizeof(g.b) : g.len == sizeof(g.b)) {
		return false;
	}
	size_t head = g.gap < 0 ? g.len : (size_t)g.gap;
	size_t tail = g.len - head;

	memset(ip, 0, 16);
	memcpy(ip, g.b, head);
	memcpy(ip + 16 - tail, g.b + head, tail);
	return true;
}

/* after is what follows the address: nothing, or a colon and the port. */
static bool parse_port(struct span after, uint16_t default_port, uint16_t *port)
{
	unsigned v;

	if (after.p == after.end) {
		*port = default_port;
		return default_port != 0;
	}
	if (*after.p++ != ':' || !parse_decimal(&after, UINT16_MAX, &v)) {
		return false;
	}
	*port = (uint16_t)v;
	return after.p == after.end;
}

int endpoint_parse(struct endpoint *e, const char *text, uint16_t default_port)
{
	const struct span all = {text, text + strlen(text)};
	struct endpoint parsed = endpoint_v4(0, 0);
	const char *colon = strchr(text, ':');
	bool ok;

	if (*text == '[') {
		const char *bracket = strchr(text, ']');

		ok = bracket != NULL && parse_v6((struct span){text + 1, bracket}, parsed.ip) &&
		     parse_port((struct span){bracket + 1, all.end}, default_port, &parsed.port);
	} else if (colon != NULL && strchr(colon + 1, ':') != NULL) {
		parsed.port = default_port;
		ok = default_port != 0 && parse_v6(all, parsed.ip);
	} else {
		const char *stop = colon != NULL ? colon : all.end;

		ok = parse_v4((struct span){text, stop}, parsed.ip + 12) &&
		     parse_port((struct span){stop, all.end}, default_port, &parsed.port);
	}
	if (!ok) {
		return N2N_EINVAL;
	}
	*e = parsed;
	return N2N_OK;
}

/* The longest run of zero groups, the first of equals, at least two (RFC 5952, 4.2). */
static void find_gap(const uint8_t ip[16], size_t *start, size_t *len)
{
	*start = 8;
	*len = 1;
	for (size_t i = 0, run = 0; i < 8; i++) {
		run = load_be16(ip + 2 * i) == 0 ? run + 1 : 0;
		if (run > *len) {
			*len = run;
			*start = i + 1 - run;
		}
	}
}

/* Writes the address and a NUL; returns where the NUL is. */
static char *put_ip(const struct endpoint *e, char *p)
{
	const uint8_t *ip = e->ip;
	size_t gap, gap_len;

	if (endpoint_is_v4(e)) {
		return p + sprintf(p, "%u.%u.%u.%u", ip[12], ip[13], ip[14], ip[15]);
	}
	find_gap(ip, &gap, &gap_len);
	for (size_t i = 0; i < 8; i++) {
		if (i == gap) {
			i += gap_len - 1;
			p += sprintf(p, i == 7 ? "::" : ":");
		} else {
			p += sprintf(p, i > 0 ? ":%x" : "%x", load_be16(ip + 2 * i));
		}
	}
	return p;
}

char *endpoint_format_ip(const struct endpoint *e, char buf[ENDPOINT_TEXT_MAX])
{
	put_ip(e, buf);
	return buf;
}

char *endpoint_format(const struct endpoint *e, char buf[ENDPOINT_TEXT_MAX])
{
	char *p = buf;

	if (endpoint_is_v4(e)) {
		p = put_ip(e, p);
	} else {
		*p++ = '[';
		p = put_ip(e, p);
		*p++ = ']';
	}
	sprintf(p, ":%u", e->port);
	return buf;
}
