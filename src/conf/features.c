/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the names of features. */
#include "conf/features.h"

#include <string.h>

#include "conf/values.h"

static const struct {
	const char *name;
	unsigned feature;
} names[] = {
	{"uso", FEATURE_USO},
	{"tso", FEATURE_TSO},
	{"gso", FEATURE_GSO},
	{"gro", FEATURE_GRO},
	{"vnethdr", FEATURE_VNET_HDR},
	{"ipsec-mb", FEATURE_IPSEC_MB},
};

const char *feature_name(enum feature f)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].feature == f)
			return names[i].name;
	return "unknown";
}

/* The feature of a name that is not ended by a NUL, or 0. */
static unsigned find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == len && memcmp(names[i].name, name, len) == 0)
			return names[i].feature;
	return 0;
}

int feature_disable(void *field, const char *value, char *why, size_t why_cap)
{
	unsigned set = 0;

	for (;;) {
		size_t len = strcspn(value, ",");
		unsigned feature = find(value, len);

		if (feature == 0)
			return value_wrong(why, why_cap,
				"is not a list of features; give some of uso, tso, gso, gro, "
				"vnethdr, ipsec-mb, separated by commas");
		set |= feature;
		if (value[len] == 0)
			break;
		value += len + 1;
	}
	*(unsigned *)field |= set;
	return 0;
}
