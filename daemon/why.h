/* why.h - a decision in plain words, Chinese first, then English; see daemon/store/why.h. */
#ifndef TIDE_WHY_H
#define TIDE_WHY_H

#include <stdio.h>

#include "daemon/store/why.h"

/* Reads "12" as a booking and "USER:RID" as a request into *ret; buf keeps the texts. False when it
 * is neither. */
bool why_parse(const char *what, struct store_why_ask *ret, char *buf, size_t cap);
/* Tells it. Names no person, no household, no plate and no slot. */
void why_tell(const struct store_why *why, FILE *out);

#endif
