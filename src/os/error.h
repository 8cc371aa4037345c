/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The border between the operating system's errors and ours: errno is translated here, once, and
 * failures that people meet at start are explained in a line. Every system; os_errno is for the
 * inside of os, and takes what the system calls its error numbers. Any thread.
 */
#ifndef N2N_OS_ERROR_H
#define N2N_OS_ERROR_H

#include "base/err.h"
#include "base/setting.h"

/*
 * Filled by the functions that take one, and only when they fail. text is one complete sentence
 * for people without newline and without the program's name: what failed, with which value, the
 * likely cause, what to do. It never holds a secret, and names no option: when its last advice is
 * to choose something else, setting says what, and whoever shows the text appends how (options_hint
 * of conf).
 */
struct os_error {
	int code; /* what the function returned, an n2n_err */
	enum setting setting;
	char text[256];
};

/* Fills err, cutting a text that is too long, and returns code. There is nothing to choose. */
__attribute__((format(printf, 3, 4))) int os_error_set(
	struct os_error *err, int code, const char *fmt, ...);
/* The same for a text that ends with the advice to choose another setting. */
__attribute__((format(printf, 4, 5))) int os_error_choose(
	struct os_error *err, int code, enum setting setting, const char *fmt, ...);

/* The n2n_err for an errno value; N2N_EIO for those that nobody tells apart. */
int os_errno(int system_errno);

#endif
