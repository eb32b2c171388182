// SPDX-License-Identifier: Apache-2.0
/* context_types: see context_types.h. */
#include <string.h>

#include "context_types.h"
#include "log.h"

enum {
	DEPTH_MAX = 4,	    /* of structs in structs */
	FIELDS_MAX = 16384, /* looked at in one executable: some 10 times what the largest need */
	POINTER_SIZE = 8,
};

/* The less the better; within one of them, the least deep. */
enum preference { EMBEDDED_CONTEXT, HELD_CONTEXT, EMBEDDED_REQUEST, HELD_REQUEST, NOTHING };

struct parent {
	enum preference preference;
	int depth;
	struct context_type how;
};

struct search {
	const struct resolve *r;
	uint64_t context; /* descriptors */
	uint64_t request; /* of the struct, 0: not linked */
	size_t fields_left;
	size_t left_out; /* no room */
	size_t cnt;
	struct context_type *types;
};

/* The struct behind the pointer type at ADDR, else 0. */
static uint64_t pointed_struct(const struct search *s, uint64_t addr)
{
	struct type_fact pointer, type;

	if (resolve__type_at(s->r, addr, &pointer) || pointer.kind != GO_KIND_POINTER ||
	    resolve__type_at(s->r, pointer.elem, &type) || type.kind != GO_KIND_STRUCT)
		return 0;
	return type.addr;
}

static void offer(struct parent *best, const struct parent *p)
{
	if (p->preference < best->preference ||
	    (p->preference == best->preference && p->depth < best->depth))
		*best = *p;
}

static void search_struct(struct search *s, uint64_t type, uint64_t base, int depth,
			  struct parent *best);

/* FIELD points to a struct: a request, or if embedded one whose methods the outer type has. */
static void search_pointer(struct search *s, const struct field_fact *field, struct parent *found,
			   int depth)
{
	uint64_t type = pointed_struct(s, field->type_addr);

	if (type && type == s->request) {
		found->preference = field->embedded ? EMBEDDED_REQUEST : HELD_REQUEST;
		found->how.via = CONTEXT_VIA_REQUEST;
	} else if (type && field->embedded) {
		struct parent inner = {.preference = NOTHING};

		search_struct(s, type, 0, depth + 1, &inner);
		found->preference = inner.preference;
		found->depth = inner.depth;
		found->how.via = CONTEXT_VIA_POINTER;
		found->how.next = field->type_addr;
	}
}

/* Offers to BEST what the fields of the struct at TYPE, BASE bytes into the outermost, lead to. */
static void search_struct(struct search *s, uint64_t type, uint64_t base, int depth,
			  struct parent *best)
{
	struct field_fact field;
	const char *name;
	size_t name_len;

	for (size_t i = 0; depth <= DEPTH_MAX && s->fields_left &&
			   !resolve__type_field(s->r, type, i, &name, &name_len, &field);
	     i++) {
		struct parent found = {.preference = NOTHING, .depth = depth};
		uint64_t offset = base + field.offset;

		s->fields_left--;
		if (offset > UINT16_MAX)
			continue;
		if (field.kind == GO_KIND_INTERFACE &&
		    resolve__includes(s->r, field.type_addr, s->context))
			found.preference = field.embedded ? EMBEDDED_CONTEXT : HELD_CONTEXT;
		else if (field.kind == GO_KIND_POINTER)
			search_pointer(s, &field, &found, depth);
		else if (field.kind == GO_KIND_STRUCT && field.embedded)
			search_struct(s, field.type_addr, offset, depth + 1, best);
		found.how.offset = offset;
		offer(best, &found);
	}
}

/* Puts ENTRY in its place; false when there is none left, or its type is there already. */
static bool insert(struct search *s, const struct context_type *entry)
{
	size_t i = 0;

	while (i < s->cnt && s->types[i].type < entry->type)
		i++;
	if (i < s->cnt && s->types[i].type == entry->type)
		return false;
	if (s->cnt == CONTEXT_TYPES_MAX) {
		s->left_out++;
		return false;
	}
	memmove(&s->types[i + 1], &s->types[i], (s->cnt - i) * sizeof(*s->types));
	s->types[i] = *entry;
	s->cnt++;
	return true;
}

/* STRUCT_ADDR is the struct that values of the dynamic type at TYPE are, or point to. */
static void add(struct search *s, uint64_t type, uint64_t struct_addr)
{
	struct parent best;

	do {
		best = (struct parent){.preference = NOTHING};
		search_struct(s, struct_addr, 0, 0, &best);
		best.how.type = type;
		if (best.preference == NOTHING ||
		    (best.how.via == CONTEXT_VIA_CONTEXT && !best.how.offset))
			return;
		if (!insert(s, &best.how))
			return; /* also where pointers lead in a circle */
		type = best.how.next;
		struct_addr = pointed_struct(s, type);
	} while (best.how.via == CONTEXT_VIA_POINTER);
}

static int visit(void *ctx, const struct type_fact *type)
{
	struct search *s = ctx;

	if (type->kind == GO_KIND_POINTER)
		add(s, type->addr, pointed_struct(s, type->addr));
	else if (type->kind == GO_KIND_STRUCT && type->size > POINTER_SIZE)
		add(s, type->addr, type->addr);
	return !s->fields_left;
}

size_t context_types__find(const struct resolve *r,
			   struct context_type out[static CONTEXT_TYPES_MAX])
{
	struct search s = {.r = r, .fields_left = FIELDS_MAX, .types = out};
	struct type_fact type;

	if (resolve__type(r, "context.Context", &type))
		return 0;
	s.context = type.addr;
	if (!resolve__type(r, "net/http.Request", &type))
		s.request = type.addr;
	resolve__each_implementer(r, "context.Context", visit, &s);
	if (s.left_out)
		log_debug("context types: %zu more than the %d that are followed", s.left_out,
			  CONTEXT_TYPES_MAX);
	if (!s.fields_left)
		log_debug("context types: more than %d fields to look at", FIELDS_MAX);
	return s.cnt;
}
