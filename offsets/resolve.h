/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve: the only door between the rest of gospan and the facts of a Go executable.
 *
 * Name in, number and source out. Behind it: image (mmap, program headers), buildinfo, symtab,
 * pclntab, moduledata, rtype, itab, dwarf. Nothing is decided by Go version what the binary tells.
 *
 * Names are Go's own: functions as in pclntab ("net/http.(*conn).serve"), fields as package path,
 * type, field path ("net/http.Request.Method", nested structs by further dots:
 * "net/http.response.cw.wroteHeader"), pointer types with a leading star ("*net/http.response").
 * One rule for names, applied to both sides before comparison: "%2e" and its like are unescaped,
 * and everything up to and including the last "/vendor/" (or a leading "vendor/") is cut.
 *
 * All addresses are link-time virtual addresses of the executable; the load bias is the caller's.
 */
#ifndef GOSPAN_OFFSETS_RESOLVE_H
#define GOSPAN_OFFSETS_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resolve;

/* Why something is not there, as one line for a person, without a trailing dot or newline. */
struct why {
	char text[256];
};

enum fact_source { FACT_TYPE_DATA, FACT_DWARF };

enum go_arch { GO_ARCH_AMD64, GO_ARCH_ARM64 };

/* reflect.Kind, Go src/internal/abi/type.go (1.19 to 1.27 unchanged) */
enum go_kind {
	GO_KIND_BOOL = 1,
	GO_KIND_INT = 2,
	GO_KIND_INT8,
	GO_KIND_INT16,
	GO_KIND_INT32,
	GO_KIND_INT64,
	GO_KIND_UINT,
	GO_KIND_UINT8,
	GO_KIND_UINT16,
	GO_KIND_UINT32,
	GO_KIND_UINT64,
	GO_KIND_UINTPTR,
	GO_KIND_FLOAT32,
	GO_KIND_FLOAT64,
	GO_KIND_COMPLEX64,
	GO_KIND_COMPLEX128,
	GO_KIND_ARRAY,
	GO_KIND_CHAN,
	GO_KIND_FUNC,
	GO_KIND_INTERFACE,
	GO_KIND_MAP,
	GO_KIND_POINTER,
	GO_KIND_SLICE,
	GO_KIND_STRING,
	GO_KIND_STRUCT,
	GO_KIND_UNSAFE_POINTER,
};

/* What the executable says of itself. Strings live as long as the resolve; "" when unknown. */
struct go_info {
	const char *go_version;	    /* "go1.24.4"; experiments follow: "go1.24 X:rangefunc" */
	const char *build_id;	    /* GNU build id in hex if there is one, else Go's build id */
	const char *main_path;	    /* package path of main, "example.com/shop/cmd/shop" */
	const char *module;	    /* main module's path */
	const char *module_version; /* "v1.2.3", "(devel)" or "" */
	const char *vcs_revision;
	enum go_arch arch;
	bool pie;
	bool stripped; /* no symbol table */
	size_t function_cnt;
	size_t type_cnt; /* struct descriptors found by the scan */
};

struct function_fact {
	uint64_t addr;
	uint64_t size; /* to the next function, trailing int3 / zero padding cut */
	uint64_t file_off;
};

/* A function in a stack trace. Strings as in the executable, valid as long as the resolve. */
struct frame_fact {
	const char *function; /* not normalised */
	const char *file;     /* "?": unknown */
	int line;
	uint64_t entry;	      /* of the body that holds the instruction */
	bool inlined;	      /* into the next function */
	bool wrapper;	      /* made by the compiler to call another one */
};

struct field_fact {
	uint32_t offset; /* bytes from the start of the outermost struct */
	uint32_t size;	 /* of the field */
	enum go_kind kind;
	enum fact_source source;
	uint64_t type_addr; /* descriptor of the field's type, 0 when from DWARF */
	bool embedded;	    /* never told by DWARF */
};

/* A type descriptor, looked up by address (panic values) or by name. */
struct type_fact {
	uint64_t addr;
	uint64_t size;
	enum go_kind kind;
	uint64_t elem; /* descriptor of pointer/slice/array/chan/map element, else 0 */
};

/*
 * Opens the executable behind FD (which stays the caller's) under the name NAME for messages.
 * 0, or -ENOEXEC not an ELF file / not a Go program / unsupported architecture or Go version,
 * -EIO truncated or inconsistent, -ENOMEM; then WHY tells and *OUT is untouched.
 */
int resolve__open(int fd, const char *name, struct resolve **out, struct why *why);
void resolve__free(struct resolve *r);

/*
 * False once somebody wrote to the file, which nobody can while a process runs it: to read it then
 * would give wrong facts, or a SIGBUS where it is shorter. It may be deleted.
 */
bool resolve__is_intact(const struct resolve *r);

/* False once the file was written to or deleted (also by another one that took its name). */
bool resolve__is_there(const struct resolve *r);

/* The file itself, to attach to; it stays the resolve's. */
int resolve__fd(const struct resolve *r);

/* Most look-ups are done: the file's pages leave our memory. Later ones fetch what they need again. */
void resolve__rest(const struct resolve *r);

const struct go_info *resolve__info(const struct resolve *r);

/* Exactly one function body (the ABIInternal one). -ENOENT; -ENOTUNIQ when the name is ambiguous.
 */
int resolve__function(const struct resolve *r, const char *name, struct function_fact *out);

/* The function containing ADDR: its name (normalised, valid as long as R) or NULL. */
const char *resolve__function_at(const struct resolve *r, uint64_t addr, struct function_fact *out);

/* Source line of ADDR for stack traces; -ENOENT when unknown. FILE is valid as long as R. */
int resolve__line(const struct resolve *r, uint64_t addr, const char **file, int *line);

/*
 * The functions that the instruction at ADDR belongs to: the one that was inlined most deeply first,
 * the one that has a body last. At most CAP; 0 when ADDR is in none.
 */
size_t resolve__frames(const struct resolve *r, uint64_t addr, struct frame_fact *out, size_t cap);

/* True when any function of package PATH ("net/http", "google.golang.org/grpc") is linked. */
bool resolve__has_package(const struct resolve *r, const char *path);

/* Bytes of SP adjustment in effect at ADDR (pclntab's pcsp): entry SP = SP + value. -ENOENT. */
int resolve__frame_size(const struct resolve *r, uint64_t addr, uint32_t *out);

/* -ENOENT no such type or field (WHY names which), -ENOTUNIQ ambiguous. */
int resolve__field(const struct resolve *r, const char *path, struct field_fact *out,
		   struct why *why);

/*
 * The same for a type whose values live only on stacks, and which type data therefore may lack: then
 * DWARF is asked, if there is any. Opening it takes 20 ms for an executable of 9 MB.
 */
int resolve__stack_field(const struct resolve *r, const char *path, struct field_fact *out,
			 struct why *why);

/* Type by name: "net/http.response", "*net/http.response", "map.group[string][]string". */
int resolve__type(const struct resolve *r, const char *name, struct type_fact *out);

/* Type by descriptor address, as found in an interface value minus the load bias. */
int resolve__type_at(const struct resolve *r, uint64_t addr, struct type_fact *out);

/*
 * Go's name of the type at ADDR as %T prints it but with the full package path
 * ("*errors.errorString", "example.com/shop/cart.Error"). Returns its length, or negative errno.
 */
int resolve__type_name(const struct resolve *r, uint64_t addr, char *buf, size_t buf_sz);

/* The I-th field of the struct type at ADDR; -ENOENT behind the last. */
int resolve__type_field(const struct resolve *r, uint64_t addr, size_t i, const char **name,
			size_t *name_len, struct field_fact *out);

/*
 * The linker's itab for a TYPE held in an INTERFACE ("*net/http.response",
 * "net/http.ResponseWriter"): the program can hold it so. -ENOENT. The runtime makes others, so
 * compare the type behind an itab, not its address.
 */
int resolve__itab(const struct resolve *r, const char *interface, const char *type, uint64_t *addr);

/* True when a value of the interface type at WIDE is one of the interface type at NARROW, too. */
bool resolve__includes(const struct resolve *r, uint64_t wide, uint64_t narrow);

/*
 * Calls FN for the type of every linker's itab whose interface is INTERFACE ("context.Context") or
 * includes it, until it returns non-zero, which is returned; -ENOENT no such interface. A type can
 * come more than once. Those that the program converts from interfaces without INTERFACE's methods
 * (any, reflect) do not come.
 */
int resolve__each_implementer(const struct resolve *r, const char *interface,
			      int (*fn)(void *ctx, const struct type_fact *type), void *ctx);

/* SZ bytes of the image at link-time ADDR with relocations applied; -EFAULT outside. */
int resolve__read(const struct resolve *r, uint64_t addr, void *buf, size_t sz);

/* Pointer to SZ bytes of mapped file contents at ADDR (code), or NULL. */
const void *resolve__bytes(const struct resolve *r, uint64_t addr, size_t sz);

/* Address behind the last byte that the file holds. */
uint64_t resolve__end(const struct resolve *r);

/*
 * Address behind the bytes that are in memory as the file has them, since nobody can write to them: code,
 * constants, the tables of the runtime.
 */
uint64_t resolve__constants_end(const struct resolve *r);

/* Link-time addresses between which the Go code lies. */
void resolve__text(const struct resolve *r, uint64_t *start, uint64_t *end);

/* File offset of ADDR; -EFAULT when no segment of the file holds it. */
int resolve__file_off(const struct resolve *r, uint64_t addr, uint64_t *out);

#endif
