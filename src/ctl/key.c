/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns "n2n key": making keys of communities. */
#include <stdio.h>
#include <string.h>

#include "crypto/keystring.h"
#include "ctl/commands.h"
#include "os/sys.h"

static int make_key(char text[COMMUNITY_KEY_TEXT_LEN + 1], struct os_error *err)
{
	struct community_key key;
	struct random rnd;

	if (crypto_start() != 0)
		return os_error_set(err, N2N_ENOSYS, "the cryptographic library does not start");
	if (sys_random(&rnd, err) != 0)
		return err->code;
	random_bytes(&rnd, key.id, sizeof(key.id));
	random_bytes(&rnd, key.key, sizeof(key.key));
	community_key_format(&key, text);
	crypto_wipe(&key, sizeof(key));
	return 0;
}

int key_command(int argc, char **argv)
{
	char text[COMMUNITY_KEY_TEXT_LEN + 1];
	struct os_error err;

	if (argc != 3 || strcmp(argv[1], "new") != 0 || argv[2][0] == '-' || argv[2][0] == 0) {
		fputs("n2n: say \"n2n key new NAME\", where NAME is what the community is called\n",
			stderr);
		return STATUS_USAGE;
	}
	if (make_key(text, &err) != 0) {
		fprintf(stderr, "n2n: %s\n", err.text);
		return STATUS_FAILED;
	}
	puts(text);
	crypto_wipe(text, sizeof(text));
	if (sys_flush_stdout("the key", &err) != 0) {
		fprintf(stderr, "n2n: %s\n", err.text);
		return STATUS_FAILED;
	}
	fprintf(stderr,
		"That is the key of community %s. Whoever has it is a member: keep the file it is "
		"in private\n(chmod 600 FILE), copy it to each member, and use it there with\n"
		"  edge -K FILE -c %s -a ADDRESS -l SUPERNODE:PORT\n",
		argv[2], argv[2]);
	return STATUS_OK;
}
