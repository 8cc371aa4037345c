/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cutting a super-frame: the headers before each piece of the payload, with the fields changed that
 * the kernel's own segmentation changes.
 */
#include <assert.h>
#include <string.h>

#include "core/frame/offload.h"
#include "core/frame/parse.h"

static bool begin_whole(struct cut *c, const struct frame *f)
{
	const size_t field = (size_t)f->offload.csum_start + f->offload.csum_offset;

	c->offload = f->offload;
	c->count = 1;
	return f->len <= FRAME_MAX && (!f->offload.csum_unset || field + 2 <= f->len);
}

/*
 * The sum of the pseudo-header without the length, found without its addresses: a routing header
 * may put others in their place, and a finished sum that is wrong must stay so in each segment.
 */
static uint16_t pseudo_sum(const struct frame *f, const struct layout *l)
{
	const uint8_t *l4 = f->data + l->l4;
	const size_t len = f->len - l->l4;
	uint16_t sum = load_be16(l4 + layout_csum_offset(l));

	if (!f->offload.csum_unset) {
		sum = (uint16_t)~sum_bytes(l4, len);
	}
	return sum_without(sum, (uint16_t)len);
}

/* The sum of an IPv4 header without the fields that differ between segments. */
static uint16_t ip4_sum(const uint8_t *ip, size_t len)
{
	uint16_t sum = sum_bytes(ip, len);

	sum = sum_without(sum, load_be16(ip + IP4_TOTAL));
	sum = sum_without(sum, load_be16(ip + IP4_ID));
	return sum_without(sum, load_be16(ip + IP4_CSUM));
}

static bool begin_train(struct cut *c, const struct frame *f)
{
	const size_t size = f->offload.segment_size;
	size_t payload;
	struct layout l;

	if (size == 0 || !layout_find(&l, f->data, f->len) || l.end != f->len ||
		layout_kind(&l) != f->offload.kind) {
		return false;
	}
	payload = l.end - l.payload;
	if (l.payload + (payload < size ? payload : size) > FRAME_MAX) {
		return false;
	}
	if (!l.tcp && !f->offload.csum_unset && load_be16(f->data + l.l4 + UDP_CSUM) == 0) {
		return false; /* no checksum, as no system sends a train */
	}
	c->offload = f->offload;
	c->offload.csum_start = l.l4;
	c->offload.csum_offset = layout_csum_offset(&l);
	c->offload.header_len = l.payload;
	c->next = l.payload;
	c->count = payload == 0 ? 1 : (uint32_t)((payload + size - 1) / size);
	c->l3 = l.l3;
	c->v6 = l.v6;
	c->pseudo = pseudo_sum(f, &l);
	c->ip4_sum = l.v6 ? 0 : ip4_sum(f->data + l.l3, (size_t)(l.l4 - l.l3));
	return true;
}

bool cut_begin(struct cut *c, const struct frame *f)
{
	*c = (struct cut){.data = f->data, .len = f->len};
	return f->offload.kind == OFFLOAD_NONE ? begin_whole(c, f) : begin_train(c, f);
}

static void finish(struct frame *out)
{
	bool filled = offload_fill(out);

	assert(filled); /* cut_begin saw to that */
	(void)filled;
}

static void next_whole(const struct cut *c, struct frame *out)
{
	memcpy(out->data, c->data, c->len);
	out->len = c->len;
	out->offload = c->offload;
	if (!offload_travels(out)) {
		finish(out);
	}
}

static void write_ip(const struct cut *c, const struct frame *out)
{
	uint8_t *ip = out->data + c->l3;
	const uint16_t total = (uint16_t)(out->len - c->l3);
	const uint16_t id = (uint16_t)(load_be16(ip + IP4_ID) + c->index);

	if (c->v6) {
		store_be16(ip + IP6_PAYLOAD, (uint16_t)(total - IP6_LEN));
		return;
	}
	store_be16(ip + IP4_TOTAL, total);
	store_be16(ip + IP4_ID, id);
	store_be16(ip + IP4_CSUM, (uint16_t)~sum_fold((uint32_t)c->ip4_sum + total + id));
}

static void write_tcp(const struct cut *c, uint8_t *tcp)
{
	const uint32_t offset = (uint32_t)(c->next - c->offload.header_len);

	store_be32(tcp + TCP_SEQ, load_be32(tcp + TCP_SEQ) + offset);
	if (c->index > 0) {
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	}
	if (cut_left(c) > 1) {
		tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	}
}

static void next_segment(struct cut *c, struct frame *out)
{
	const struct offload *train = &c->offload;
	const size_t left = c->len - c->next;
	const size_t n = left < train->segment_size ? left : train->segment_size;
	uint8_t *l4 = out->data + train->csum_start;
	uint16_t l4_len;

	memcpy(out->data, c->data, train->header_len);
	memcpy(out->data + train->header_len, c->data + c->next, n);
	out->len = train->header_len + n;
	l4_len = (uint16_t)(out->len - train->csum_start);
	write_ip(c, out);
	if (train->kind == OFFLOAD_UDP) {
		store_be16(l4 + UDP_LENGTH, l4_len);
	} else {
		write_tcp(c, l4);
	}
	store_be16(l4 + train->csum_offset, sum_fold((uint32_t)c->pseudo + l4_len));
	out->offload = (struct offload){
		.csum_unset = true,
		.csum_start = train->csum_start,
		.csum_offset = train->csum_offset,
	};
	c->next += n;
	if (!train->csum_unset) {
		finish(out);
	}
}

void cut_next(struct cut *c, struct frame *out)
{
	assert(cut_left(c) > 0);
	if (c->offload.kind == OFFLOAD_NONE) {
		next_whole(c, out);
	} else {
		next_segment(c, out);
	}
	c->index++;
}
