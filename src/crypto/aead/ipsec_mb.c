/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packet ciphers of libipsec-mb, which is loaded at run time. Its direct calls are used: they write
 * nothing to the manager, so that one serves all threads, and check no tag.
 */
#include <dlfcn.h>
#include <intel-ipsec-mb.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/aead/provider.h"

#define LIBRARY	  "libIPSec_MB.so.1"
#define NEEDED	  (IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ)
#define KEY_ALIGN 64

struct ipsec_mb {
	struct aead_provider base;
	void *library;
	IMB_MGR *manager;
	void (*free_manager)(IMB_MGR *manager);
};

struct ipsec_mb_key {
	struct aead_key base;
	const IMB_MGR *manager;
	union {
		_Alignas(KEY_ALIGN) struct gcm_key_data aes;
		uint8_t chacha[KEY_LEN];
	} u;
};

/* What an operation leaves behind; wiped after each batch. */
struct aes_work {
	struct gcm_context_data ctx;
	uint8_t tag[TAG_LEN];
};

struct chacha_work {
	struct chacha20_poly1305_context_data ctx;
	uint8_t tag[TAG_LEN];
};

static bool has(enum aead_suite suite)
{
	return suite == AEAD_AES256GCM || suite == AEAD_CHACHA20POLY1305;
}

static struct aead_key *key_create(const struct aead_provider *self, enum aead_suite suite,
	const uint8_t key[KEY_LEN], unsigned nthreads)
{
	struct ipsec_mb_key *k = aligned_alloc(KEY_ALIGN, sizeof(*k));

	(void)nthreads; /* all threads read the same key */
	if (k == NULL) {
		return NULL;
	}
	k->manager = ((const struct ipsec_mb *)self)->manager;
	if (suite == AEAD_AES256GCM) {
		IMB_AES256_GCM_PRE(k->manager, key, &k->u.aes);
	} else {
		memcpy(k->u.chacha, key, KEY_LEN);
	}
	return &k->base;
}

static void key_destroy(struct aead_key *key)
{
	crypto_wipe(key, sizeof(struct ipsec_mb_key));
	free(key);
}

static void verify(struct aead_op *op, const uint8_t tag[TAG_LEN])
{
	op->ok = crypto_verify_16(op->text + op->len, tag) == 0;
	if (!op->ok) {
		crypto_wipe(op->text, op->len);
	}
}

static void seal_aes(const struct ipsec_mb_key *k, struct aead_op *ops, size_t n)
{
	struct aes_work w;

	for (struct aead_op *op = ops; op < ops + n; op++) {
		IMB_AES256_GCM_ENC(k->manager, &k->u.aes, &w.ctx, op->text, op->text, op->len,
			op->nonce, op->ad, op->ad_len, op->text + op->len, TAG_LEN);
	}
	crypto_wipe(&w, sizeof(w));
}

static void open_aes(const struct ipsec_mb_key *k, struct aead_op *ops, size_t n)
{
	struct aes_work w;

	for (struct aead_op *op = ops; op < ops + n; op++) {
		IMB_AES256_GCM_DEC(k->manager, &k->u.aes, &w.ctx, op->text, op->text, op->len,
			op->nonce, op->ad, op->ad_len, w.tag, TAG_LEN);
		verify(op, w.tag);
	}
	crypto_wipe(&w, sizeof(w));
}

/*
 * The library's queue of jobs would save a tenth of a microsecond on each of these, for a manager
 * per thread. Where it runs there is AES, so this suite is for peers that are slower than we are.
 */
static void seal_chacha(const struct ipsec_mb_key *k, struct aead_op *ops, size_t n)
{
	struct chacha_work w;

	for (struct aead_op *op = ops; op < ops + n; op++) {
		IMB_CHACHA20_POLY1305_INIT(
			k->manager, k->u.chacha, &w.ctx, op->nonce, op->ad, op->ad_len);
		IMB_CHACHA20_POLY1305_ENC_UPDATE(
			k->manager, k->u.chacha, &w.ctx, op->text, op->text, op->len);
		IMB_CHACHA20_POLY1305_ENC_FINALIZE(k->manager, &w.ctx, op->text + op->len, TAG_LEN);
	}
	crypto_wipe(&w, sizeof(w));
}

static void open_chacha(const struct ipsec_mb_key *k, struct aead_op *ops, size_t n)
{
	struct chacha_work w;

	for (struct aead_op *op = ops; op < ops + n; op++) {
		IMB_CHACHA20_POLY1305_INIT(
			k->manager, k->u.chacha, &w.ctx, op->nonce, op->ad, op->ad_len);
		IMB_CHACHA20_POLY1305_DEC_UPDATE(
			k->manager, k->u.chacha, &w.ctx, op->text, op->text, op->len);
		IMB_CHACHA20_POLY1305_DEC_FINALIZE(k->manager, &w.ctx, w.tag, TAG_LEN);
		verify(op, w.tag);
	}
	crypto_wipe(&w, sizeof(w));
}

static void seal(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n)
{
	const struct ipsec_mb_key *k = (const struct ipsec_mb_key *)key;

	(void)state;
	if (key->suite == AEAD_AES256GCM) {
		seal_aes(k, ops, n);
	} else {
		seal_chacha(k, ops, n);
	}
}

static void open(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n)
{
	const struct ipsec_mb_key *k = (const struct ipsec_mb_key *)key;

	(void)state;
	if (key->suite == AEAD_AES256GCM) {
		open_aes(k, ops, n);
	} else {
		open_chacha(k, ops, n);
	}
}

/* The structures of the header were compiled in, so an older library does not fit. */
static int start(struct ipsec_mb *p)
{
	unsigned (*version)(void) = (unsigned (*)(void))dlsym(p->library, "imb_get_version");
	IMB_MGR *(*alloc)(uint64_t) = (IMB_MGR * (*)(uint64_t)) dlsym(p->library, "alloc_mb_mgr");
	void (*init)(IMB_MGR *, IMB_ARCH *) =
		(void (*)(IMB_MGR *, IMB_ARCH *))dlsym(p->library, "init_mb_mgr_auto");

	p->free_manager = (void (*)(IMB_MGR *))dlsym(p->library, "free_mb_mgr");
	if (version == NULL || alloc == NULL || init == NULL || p->free_manager == NULL ||
		version() < IMB_VERSION_NUM) {
		return N2N_ENOENT;
	}
	p->manager = alloc(0);
	if (p->manager == NULL) {
		return N2N_ENOMEM;
	}
	init(p->manager, NULL);
	return p->manager->imb_errno == 0 && (p->manager->features & NEEDED) == NEEDED ? N2N_OK
										       : N2N_ENOENT;
}

int aead_ipsec_mb_open(struct aead_provider **out)
{
	struct ipsec_mb *p = calloc(1, sizeof(*p));
	int rc;

	*out = NULL;
	if (p == NULL) {
		return N2N_ENOMEM;
	}
	p->base = (struct aead_provider){
		.name = "libipsec-mb",
		.has = has,
		.key_create = key_create,
		.key_destroy = key_destroy,
		.seal = seal,
		.open = open,
	};
	p->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	rc = p->library != NULL ? start(p) : N2N_ENOENT;
	if (rc != N2N_OK) {
		aead_ipsec_mb_close(&p->base);
		return rc;
	}
	*out = &p->base;
	return N2N_OK;
}

void aead_ipsec_mb_close(struct aead_provider *provider)
{
	struct ipsec_mb *p = (struct ipsec_mb *)provider;

	if (p == NULL) {
		return;
	}
	if (p->manager != NULL) {
		p->free_manager(p->manager);
	}
	if (p->library != NULL) {
		(void)dlclose(p->library);
	}
	free(p);
}
