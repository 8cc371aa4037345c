/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/rtt.h"

#include <inttypes.h>
#include <stdio.h>

char *rtt_format(uint64_t us, char buf[RTT_TEXT_MAX])
{
	if (us < 995)
		snprintf(buf, RTT_TEXT_MAX, "%.2f ms", (double)us / 1000);
	else if (us < 9950)
		snprintf(buf, RTT_TEXT_MAX, "%.1f ms", (double)us / 1000);
	else
		snprintf(buf, RTT_TEXT_MAX, "%" PRIu64 " ms", us / 1000 + (us % 1000 >= 500));
	return buf;
}
