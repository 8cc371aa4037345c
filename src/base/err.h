/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Error codes shared by all layers.
 *
 * A function that can fail returns 0 or one of these negative values. The operating system's own
 * numbers (errno) are translated once, in src/os. Any thread may call.
 */
#ifndef N2N_BASE_ERR_H
#define N2N_BASE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum n2n_err {
	N2N_OK = 0,
	N2N_EINVAL = -1,   /* a value is malformed or out of range */
	N2N_ENOSPC = -2,   /* the buffer, table or pool offered is full */
	N2N_ENOMEM = -3,   /* memory could not be allocated */
	N2N_EAUTH = -4,	   /* a tag, MAC, checksum or key did not fit */
	N2N_ENOENT = -5,   /* what was named does not exist */
	N2N_EEXIST = -6,   /* what was to be created exists already, or is in use */
	N2N_EPERM = -7,	   /* the operating system denied it */
	N2N_EIO = -8,	   /* reading or writing failed */
	N2N_EAGAIN = -9,   /* nothing to do now; try again later */
	N2N_ENOSYS = -10,  /* not supported by this system or this build */
	N2N_EMSGSIZE = -11 /* a datagram or message is larger than the way allows */
};

/* What err, 0 or negative, means, in a few words for the middle of a sentence; static, never NULL.
 */
const char *n2n_err_text(int err);

#endif
