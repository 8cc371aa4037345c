/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The texts of the error codes. */
#include "base/err.h"

const char *n2n_err_text(int err)
{
	switch (err) {
	case N2N_OK:
		return "success";
	case N2N_EINVAL:
		return "malformed or out of range";
	case N2N_ENOSPC:
		return "no room left";
	case N2N_ENOMEM:
		return "out of memory";
	case N2N_EAUTH:
		return "not authentic";
	case N2N_ENOENT:
		return "not found";
	case N2N_EEXIST:
		return "exists already or is in use";
	case N2N_EPERM:
		return "permission denied";
	case N2N_EIO:
		return "input or output failed";
	case N2N_EAGAIN:
		return "not ready";
	case N2N_ENOSYS:
		return "not supported";
	case N2N_EMSGSIZE:
		return "message too large";
	default:
		return "unknown error";
	}
}
