/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ciphers that do nothing, in the place of the real ones (-Wl,--wrap): what else a packet costs. */
#include "crypto/aead/aead.h"

void __wrap_aead_seal(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n);
size_t __wrap_aead_open(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n);

void __wrap_aead_seal(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n)
{
	(void)key;
	(void)state;
	(void)ops;
	(void)n;
}

size_t __wrap_aead_open(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n)
{
	(void)key;
	(void)state;
	for (size_t i = 0; i < n; i++)
		ops[i].ok = true;
	return n;
}
