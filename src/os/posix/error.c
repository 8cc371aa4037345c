/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the translation of errno. */
#include "os/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 4, 0))) static int fill(
	struct os_error *err, int code, enum setting setting, const char *fmt, va_list args)
{
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	err->code = code;
	err->setting = setting;
	return code;
}

int os_error_set(struct os_error *err, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)fill(err, code, SETTING_NONE, fmt, args);
	va_end(args);
	return code;
}

int os_error_choose(struct os_error *err, int code, enum setting setting, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)fill(err, code, setting, fmt, args);
	va_end(args);
	return code;
}

int os_errno(int system_errno)
{
	switch (system_errno) {
	case 0:
		return N2N_OK;
	case EINVAL:
	case ERANGE:
	case ENAMETOOLONG:
		return N2N_EINVAL;
	case ENOSPC:
	case EDQUOT:
		return N2N_ENOSPC;
	case ENOMEM:
	case ENOBUFS:
	case EMFILE:
	case ENFILE:
		return N2N_ENOMEM;
	case ENOENT:
	case ENODEV:
	case ENXIO:
	case ENOTDIR:
	case EADDRNOTAVAIL:
	case ECONNREFUSED: /* a socket file that nobody listens on */
		return N2N_ENOENT;
	case EEXIST:
	case EBUSY:
	case EADDRINUSE:
		return N2N_EEXIST;
	case EPERM:
	case EACCES:
		return N2N_EPERM;
	case EAGAIN:
	case EINTR:
	case ETIMEDOUT:
		return N2N_EAGAIN;
	case ENOSYS:
	case EOPNOTSUPP:
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
		return N2N_ENOSYS;
	case EMSGSIZE:
		return N2N_EMSGSIZE;
	default:
		return N2N_EIO;
	}
}
