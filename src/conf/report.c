/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the counting of what is wrong. */
#include "conf/report.h"

void conf_report_wrong(struct conf_report *r, const struct conf_error *err)
{
	r->wrong++;
	r->say(r->ctx, true, err->text);
}

void conf_report_note(struct conf_report *r, const struct conf_error *err)
{
	r->say(r->ctx, false, err->text);
}
